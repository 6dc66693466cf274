// Speaking to a running Dult: events with a write key, questions with a bearer key.

import { once } from 'node:events';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

// One request; gives {status, headers, text, body (parsed, where it is JSON)}. Redirects are not followed.
export async function http(method, url, { headers = {}, body, timeoutMs = 30_000 } = {}) {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
    ? body : JSON.stringify(body);
  const call = request(url, { method, headers, agent, timeout: timeoutMs });
  call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${url} in ${timeoutMs} ms`)));
  call.end(payload);
  const [answer] = await once(call, 'response');
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString('utf8');
  let parsed;
  if (/json/.test(answer.headers['content-type'] ?? '')) parsed = JSON.parse(text);
  return { status: answer.statusCode, headers: answer.headers, text, bytes, body: parsed };
}

export const basic = (writeKey) => `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;

export class Client {
  constructor(server, { writeKey, apiKey }) {
    Object.assign(this, { server, writeKey, apiKey });
  }

  // An event or a batch, as any client library sends it.
  async post(path, body, headers = {}) {
    return http('POST', this.server.origin + path, {
      headers: { authorization: basic(this.writeKey), 'content-type': 'application/json', ...headers },
      body,
    });
  }

  async send(path, body) {
    const answer = await this.post(path, body);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  async get(path) {
    const answer = await http('GET', this.server.origin + path, {
      headers: { authorization: `Bearer ${this.apiKey}` },
    });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  // All items of a list, page by page: {"items": [...], "next": cursor or null}.
  async all(path) {
    const items = [];
    let cursor;
    do {
      const joint = path.includes('?') ? '&' : '?';
      const more = cursor ? `${joint}cursor=${encodeURIComponent(cursor)}` : '';
      const page = await this.get(path + more);
      if (page === undefined) return [];
      items.push(...page.items);
      cursor = page.next;
    } while (cursor);
    return items;
  }

  profile(id) {
    return this.get(`/api/v1/profiles/${encodeURIComponent(id)}`);
  }

  timeline(id) {
    return this.all(`/api/v1/profiles/${encodeURIComponent(id)}/timeline`);
  }

  messages(id) {
    return this.all(`/api/v1/messages?profile=${encodeURIComponent(id)}`);
  }

  rejected() {
    return this.all('/api/v1/rejected');
  }

  stats() {
    return this.get('/api/v1/stats');
  }
}

// How often an event of that name stands on a timeline.
export function countEvents(timeline, name) {
  return timeline.filter((item) => item.event === name || item.name === name).length;
}
