// Every test/stories/*.story is told once; lib/story.mjs says what its lines mean.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, skipWithoutProgram } from './lib/program.mjs';
import { readStory, tellStory } from './lib/story.mjs';

const folder = join(root, 'test/stories');
const stories = readdirSync(folder).filter((name) => name.endsWith('.story')).sort();

for (const name of stories) {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  test(`the story ${name} can be read`, () => { readStory(text); });
  test(`the story ${name} comes true`, { skip: skipWithoutProgram }, () => tellStory(text, path));
}
