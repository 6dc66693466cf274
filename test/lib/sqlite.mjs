// The system's sqlite3 kept running, for asking it thousands of questions.

import { spawn } from 'node:child_process';

export class Sqlite {
  constructor(path = ':memory:') {
    this.child = spawn('sqlite3', ['-batch', '-bail', '-separator', '\t', path], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.said = '';
    this.mistakes = '';
    this.waiting = [];
    this.child.stdout.setEncoding('utf8');
    this.child.stdout.on('data', (text) => this.#hear(text));
    this.child.stderr.on('data', (text) => { this.mistakes += text; });
    this.ended = new Promise((resolve) => {
      this.child.on('close', () => {
        for (const { reject } of this.waiting) reject(new Error(`sqlite3 ended: ${this.mistakes.slice(0, 2000)}`));
        resolve();
      });
    });
  }

  #hear(text) {
    this.said += text;
    const answers = this.said.split('answered\n');
    this.said = answers.pop();
    for (const answer of answers) {
      const rows = answer.split('\n').slice(0, -1).map((line) => line.split('\t'));
      this.waiting.shift().resolve(rows);
    }
  }

  // The rows as texts. Many questions may be under way; they are answered in order. A mistake ends
  // the program and every question still under way.
  ask(sql) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(`${sql};\n.print answered\n`);
    });
  }

  async close() {
    this.child.stdin.end();
    await this.ended;
  }
}
