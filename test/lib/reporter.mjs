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
    const setUpFailed = failed && data.details.error?.failureType !== 'subtestsFailed';
    // A suite counts only where it stands for its tests: skipped whole, or failed before they ran.
    if (suite && !setUpFailed && data.skip === undefined) continue;
    const skipped = data.skip !== undefined ? String(data.skip) : undefined;
    yield `\n@test ${JSON.stringify({
      name: data.name,
      result: skipped !== undefined ? 'skipped' : failed ? 'failed' : 'passed',
      why: failed ? reason(data.details.error) : skipped,
    })}\n`;
  }
}
