// A reporter for node:test that says one JSON line a test, for test/run.mjs to count.
// Suites are not tests; the tests within them are.

const reason = (error) => {
  const cause = error?.cause ?? error;
  return cause?.stack ?? cause?.message ?? String(cause);
};

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const suite = data.details?.type === 'suite';
    const failed = type === 'test:fail';
    // A suite that fails only because a test within it did is told by that test.
    if (suite && !(failed && data.details.error?.failureType !== 'subtestsFailed')) continue;
    // node --test reports a file as a test of its own where the file itself could not run.
    const skipped = data.skip !== undefined ? String(data.skip) : undefined;
    yield `\n@test ${JSON.stringify({
      name: data.name,
      result: skipped !== undefined ? 'skipped' : failed ? 'failed' : 'passed',
      why: failed ? reason(data.details.error) : skipped,
    })}\n`;
  }
}
