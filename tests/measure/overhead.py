#!/usr/bin/env python3
"""What fanlight costs beside the model: CPU a request, memory, start. Plain Python 3, Linux (it reads /proc), loopback only.

    cargo build --release && tests/measure/overhead.py target/release/fanlight
    tests/measure/overhead.py target/release/fanlight --request hello.json --session loop/

A stand-in for the model answers at once, with a short stream. Rows:
    same      one request again and again
    varied    the same request, with a prompt that has not been there before
    session   a session that grows, request by request; the proxy is started anew for each round, so nothing of it is known
each through fanlight, and past it (`x-fanlight-profile: off`), in the same run. CPU is user and system time of the whole
process, from the scheduler's own count in nanoseconds (`schedstat`), until the process rests again. Without `--request`
and `--session` the bundled synthetic ones are taken. With `--check` the exit status is 1 when a limit is not kept.
"""
import argparse, http.client, json, os, pathlib, signal, socket, socketserver, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = {"cpu_ms": 2.0, "resident_mb": 70.0, "listening_ms": 100.0}
OFF = {"x-fanlight-profile": "off"}


def stream():
    """The answer of the stand-in: a sentence in twelve pieces, as a server of the Messages API streams it."""
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
             "stop_sequence": None, "usage": {"input_tokens": 1000, "output_tokens": 1}}
    events = [{"type": "message_start", "message": start},
              {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
    for word in "The tests pass now, and nothing else was changed by it.".split():
        events.append({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word + " "}})
    events += [{"type": "content_block_stop", "index": 0},
               {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 12}},
               {"type": "message_stop"}]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


class StandIn(socketserver.ThreadingTCPServer):
    """Answers every POST with the same stream, and everything else with 404."""
    allow_reuse_address, daemon_threads = True, True

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self):
            while line := self.rfile.readline():
                length = 0
                while (header := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                self.rfile.read(length)
                self.wfile.write(self.server.answer if line.startswith(b"POST") else self.server.nothing)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        body = stream()
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        self.nothing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Fanlight:
    """A running proxy, and what it costs."""

    def __init__(self, options, upstream):
        self.port = free_port()
        command = [options.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--upstream", f"http://127.0.0.1:{upstream}",
                   "--dialect", "anthropic", "--num-ctx", str(options.window)]
        # Nothing of the user's is read or written.
        home = tempfile.mkdtemp(prefix="overhead-")
        env = {"PATH": os.environ["PATH"], "HOME": home}
        began = time.monotonic()
        self.process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
        self.listening_ms = self.wait_for_port(began)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def wait_for_port(self, began):
        while time.monotonic() - began < 20:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return 1000 * (time.monotonic() - began)
            except OSError:
                time.sleep(0.0005)
        sys.exit("fanlight does not listen")

    def cpu_ms(self):
        """CPU time of all threads so far."""
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                with open(f"/proc/{self.process.pid}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass
        return total / 1e6

    def at_rest(self, looks=1):
        """CPU time when nothing runs any more: the same at so many looks in a row."""
        last, same = self.cpu_ms(), 0
        while same < looks:
            time.sleep(0.004)
            now = self.cpu_ms()
            same = same + 1 if now == last else 0
            last = now
        return last

    def ready(self):
        """Waits until nothing runs any more: what a start does is no request's cost."""
        self.at_rest(50)

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))

    def send(self, body, headers):
        self.connection.request("POST", "/v1/messages?beta=true", body, {"content-type": "application/json", **headers})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b"message_stop" not in text:
            sys.exit(f"fanlight answered {answer.status}: {text[:300]!r}")

    def cost(self, bodies, headers):
        """CPU-ms of each of these requests."""
        costs, before = [], self.at_rest()
        for body in bodies:
            self.send(body, headers)
            after = self.at_rest()
            costs.append(after - before)
            before = after
        return costs

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def row(name, size, costs):
    costs = sorted(costs)
    at = lambda share: costs[min(len(costs) - 1, int(share * len(costs)))]
    return {"row": name, "requests": len(costs), "kb": round(size / 1000, 1), "mean": round(sum(costs) / len(costs), 2),
            "p50": round(at(0.5), 2), "p99": round(at(0.99), 2)}


def varied(request, count):
    """The request with another typed prompt each time."""
    body = json.loads(request)
    for at in range(count):
        last = body["messages"][-1]
        last["content"] = [{"type": "text", "text": f"Now look at part {at} of the harbour tables, and at {at * 7919 % 1000}."}]
        yield json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def session_of(folder):
    """The main requests of a folder of captured bodies, in order."""
    bodies = [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.json"))]
    return [body for body in bodies if json.loads(body).get("tools")]


def synthetic_session():
    """The bundled session of the demo behind the bundled head, one request before each answer."""
    head = json.loads((ROOT / "fixtures/requests/classic/hello.json").read_bytes())
    messages = json.loads((ROOT / "fixtures/sessions/demo.json").read_bytes())["messages"]
    answers = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    return [json.dumps({**head, "messages": messages[:at]}, ensure_ascii=False, separators=(",", ":")).encode() for at in answers]


def measure(options, stand_in):
    upstream, rows = stand_in.server_address[1], []
    request = pathlib.Path(options.request).read_bytes()
    fanlight = Fanlight(options, upstream)
    starts = [fanlight.listening_ms]
    fanlight.ready()
    fanlight.send(request, {})
    fanlight.at_rest()
    first = fanlight.resident_mb()
    fanlight.cost([request] * 20, {})
    for name, headers in (("through", {}), ("off", OFF)):
        rows.append(row(f"same, {name}", len(request), fanlight.cost([request] * options.count, headers)))
    rows.append(row("varied, through", len(request), fanlight.cost(varied(request, options.count), {})))
    last = fanlight.resident_mb()
    fanlight.stop()

    session = session_of(options.session) if options.session else synthetic_session()
    size = sum(map(len, session)) / len(session)
    for name, headers in (("through", {}), ("off", OFF)):
        costs = []
        while len(costs) < options.count:
            fanlight = Fanlight(options, upstream)
            starts.append(fanlight.listening_ms)
            fanlight.ready()
            # The head of every session is the same: what is measured is how it grows.
            fanlight.send(session[0], headers)
            costs += fanlight.cost(session[1:], headers)
            fanlight.stop()
        rows.append(row(f"session, {name}", size, costs))
    return {"rows": rows, "resident_mb": {"first": round(first, 1), "after": round(last, 1)},
            "listening_ms": {"p50": round(sorted(starts)[len(starts) // 2], 1), "most": round(max(starts), 1)}}


def within(found):
    same = next(row["mean"] for row in found["rows"] if row["row"] == "same, through")
    return (same <= LIMITS["cpu_ms"] and found["resident_mb"]["first"] <= LIMITS["resident_mb"]
            and found["listening_ms"]["most"] <= LIMITS["listening_ms"])


def show(found):
    print(f"{'CPU-ms a request':20} {'requests':>8} {'KB':>7} {'mean':>6} {'p50':>6} {'p99':>6}")
    for entry in found["rows"]:
        print(f"{entry['row']:20} {entry['requests']:>8} {entry['kb']:>7} {entry['mean']:>6} {entry['p50']:>6} {entry['p99']:>6}")
    resident, listening = found["resident_mb"], found["listening_ms"]
    print(f"resident: {resident['first']} MB after the first request, {resident['after']} MB at the end")
    print(f"listening after: {listening['p50']} ms, {listening['most']} ms at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--request", default=ROOT / "fixtures/requests/classic/hello.json", help="a body of POST /v1/messages")
    parser.add_argument("--session", help="a folder of bodies, in the order of their names")
    parser.add_argument("--window", type=int, default=8192)
    parser.add_argument("--count", type=int, default=500, help="requests a row, at least")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a limit is not kept")
    options = parser.parse_args()
    with StandIn() as stand_in:
        found = measure(options, stand_in)
        stand_in.shutdown()
    print(json.dumps(found)) if options.json else show(found)
    sys.exit(1 if options.check and not within(found) else 0)


if __name__ == "__main__":
    main()
