// A shop for tests: a workspace folder as a marketer keeps it, written to a temporary folder.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { folder } from './program.mjs';

export const WORKSPACE = {
  name: 'Tents and Trails',
  address: 'Tents and Trails AS, Storgata 1, 0155 Oslo, Norway',
  sender: { name: 'Tents and Trails', email: 'hello@tents.example', reply_to: 'help@tents.example' },
  topics: [{ id: 'newsletter', name: 'Newsletter' }],
  lists: [],
};

export function template({ subject, html, text, topic = 'newsletter', transactional = 'no' }) {
  const lines = [`subject: ${subject}`, `topic: ${topic}`, `transactional: ${transactional}`, '--- html', html];
  if (text !== undefined) lines.push('--- text', text);
  return `${lines.join('\n')}\n`;
}

// files: {"journeys/welcome.json": object, text or bytes, ...}
export function shopFolder(files) {
  const path = folder('shop');
  for (const [name, content] of Object.entries({ 'workspace.json': WORKSPACE, ...files })) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    const text = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content, null, 2);
    writeFileSync(join(path, name), text);
  }
  return path;
}

// Welcome at once; a reminder after the wait for those who have not yet made a project.
export function welcomeShop({ wait = '2 seconds' } = {}) {
  return shopFolder({
    'journeys/welcome.json': {
      journey: 'welcome',
      trigger: { event: 'Signed Up' },
      reentry: 'once',
      nodes: [
        { id: 'hello', email: 'welcome' },
        { id: 'pause', wait },
        { id: 'acted', split: 'did "Project Created"', yes: 'done', no: 'remind' },
        { id: 'remind', email: 'reminder', next: 'done' },
        { id: 'done', exit: true },
      ],
    },
    'templates/welcome.email': template({
      subject: 'Welcome, {{ person.first_name | default: "friend" }}',
      html: '<html><body><h1>Welcome, {{ person.first_name | default: "friend" }}</h1>'
        + '<p>Start <a href="https://tents.example/start?a=1&amp;b=2">your first project</a>.</p>'
        + '<p><a href="{{ links.view }}">In a browser</a></p></body></html>',
      text: 'Welcome, {{ person.first_name | default: "friend" }}\n\nStart your first project: https://tents.example/start?a=1&b=2',
    }),
    'templates/reminder.email': template({
      subject: 'Your first project waits',
      html: '<html><body><p>It takes <a href="https://tents.example/start">a minute</a>, Zo\u00eb says.</p></body></html>',
    }),
  });
}
