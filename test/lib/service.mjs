// A mail service by HTTP that keeps every request as it came and answers as it is told.
//
//     const service = await Service.listen((request, n) => ({ status: 202, headers: {...}, body: {...} }));
//     service.requests[0] = { method, path, headers, body (text), json, bytes }
//
// An answer of 'drop' hangs up after the body was read; 'stall' never answers.

import { createServer } from 'node:http';

export class Service {
  static async listen(answer = () => ({ status: 200, body: {} }), port = 0) {
    const service = new Service();
    service.requests = [];
    service.answer = answer;
    service.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => service.take(request, Buffer.concat(chunks), response));
    });
    service.server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => service.server.listen(port, '127.0.0.1', resolve));
    service.port = service.server.address().port;
    service.origin = `http://127.0.0.1:${service.port}`;
    return service;
  }

  async take(request, bytes, response) {
    const kept = { method: request.method, path: request.url, headers: request.headers, bytes, body: bytes.toString('utf8'), at: Date.now() };
    try {
      kept.json = JSON.parse(kept.body);
    } catch {
      kept.json = undefined;
    }
    this.requests.push(kept);
    const said = await this.answer(kept, this.requests.length - 1);
    if (said === 'stall') return;
    if (said === 'drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
    response.end(said.body === undefined ? '' : JSON.stringify(said.body));
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

// The parts of a multipart/form-data body: [{name, file, type, value}].
export function partsOf({ headers, bytes }) {
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'])[1];
  return bytes.toString('latin1').split(`--${boundary}`).slice(1, -1).map((part) => {
    const cut = part.indexOf('\r\n\r\n');
    const head = part.slice(0, cut);
    return {
      name: /name="([^"]*)"/.exec(head)[1],
      file: /filename="([^"]*)"/.exec(head)?.[1],
      value: part.slice(cut + 4, -2),
    };
  });
}
