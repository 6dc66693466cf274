// postfix's smtp-sink: a fast far side that takes everything and keeps nothing.

import { spawn } from 'node:child_process';

export const sinkProgram = '/usr/sbin/smtp-sink';

export function startSink(port) {
  // Root must say whom it becomes.
  const who = process.getuid() === 0 ? ['-u', 'nobody'] : [];
  return spawn(sinkProgram, [...who, `127.0.0.1:${port}`, '128'], { stdio: 'ignore' });
}
