// A server that stands for other people's services (Twilio, Lob, Slack, anybody's webhook): it keeps
// every request as it came, and answers what the test says.

import { createServer } from 'node:http';

export class Services {
  constructor() {
    this.requests = [];
    this.answer = () => ({ status: 200, body: 'ok' });
  }

  static async listen() {
    const services = new Services();
    services.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', async () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const kept = { method: request.method, path: request.url, headers: request.headers, body, port: request.socket.remotePort,
          form: Object.fromEntries(new URLSearchParams(body)) };
        services.requests.push(kept);
        const answer = await services.answer(kept);
        if (answer === 'silence') return undefined;
        if (answer === undefined) return request.socket.destroy(); // it was heard, and says nothing
        response.writeHead(answer.status ?? 200, answer.headers ?? { 'content-type': 'application/json' });
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
      });
    });
    await new Promise((resolve) => services.server.listen(0, '127.0.0.1', resolve));
    services.origin = `http://127.0.0.1:${services.server.address().port}`;
    return services;
  }

  of(path) {
    return this.requests.filter((request) => request.path.includes(path));
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
