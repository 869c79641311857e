// The least that a proxy in Node can do: each request is taken in whole and sent on, each answer is passed through.
// node relay.mjs PORT UPSTREAM_PORT
import http from "node:http";

const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true });

http.createServer((incoming, outgoing) => {
    const parts = [];
    incoming.on("data", (part) => parts.push(part));
    incoming.on("end", () => {
        const body = Buffer.concat(parts);
        const headers = { ...incoming.headers, "content-length": body.length };
        const request = http.request({ agent, host: "127.0.0.1", method: incoming.method, path: incoming.url, headers, port: upstream },
            (answer) => {
                outgoing.writeHead(answer.statusCode, answer.headers);
                answer.pipe(outgoing);
            });
        request.on("error", () => outgoing.writeHead(502).end());
        request.end(body);
    });
}).listen(port, "127.0.0.1");
