#!/usr/bin/env python3
"""What fanlight costs beside the model: CPU a request, memory, start. Plain Python 3, Linux (it reads /proc), loopback only.

    cargo build --release && tests/measure/overhead.py target/release/fanlight
    tests/measure/overhead.py target/release/fanlight --request hello.json --session loop/
    tests/measure/overhead.py target/release/fanlight --growth --beside older/fanlight --peer 'tamp=tamp --port {port} --target {upstream}'

A stand-in for the model answers at once, with a short stream. Rows:
    same      one request again and again
    varied    the same request, with a prompt that has not been there before
    session   a session that grows, request by request; the proxy is started anew for each round, so nothing of it is known
each through fanlight, and past it (`x-fanlight-profile: off`), in the same run. CPU is user and system time of the whole
process, from the scheduler's own count in nanoseconds (`schedstat`), until the process rests again. Without `--request`
and `--session` the bundled synthetic ones are taken. With `--check` the exit status is 1 when a limit is not kept.

With `--growth` the rows are other ones: a history of so many messages, first `cold` (nothing of it is known, and the proxy has
just been started; `first ms` is how long that takes), then the next turns of it, one after the other, `warm`. Beside fanlight each is sent through another build of it (`--beside`), through a
relay of forty lines in Node and through nginx, where these are there, and through each `--peer NAME=COMMAND`, in the same
run, turn about; `{port}` and `{upstream}` in the command are the port to listen on and the server's address.
"""
import argparse, http.client, json, os, pathlib, shlex, shutil, signal, socket, socketserver, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = {"cpu_ms": 2.0, "resident_mb": 24.0, "listening_ms": 100.0}
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


NGINX = """daemon off; master_process off; pid {home}/pid; error_log /dev/null; events {{}}
http {{ access_log off; client_max_body_size 0; client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f;
uwsgi_temp_path {home}/u; scgi_temp_path {home}/s; upstream up {{ server 127.0.0.1:{upstream}; keepalive 4; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }} }} }}"""


class Proxy:
    """A running proxy, and what it costs."""

    def __init__(self, command, upstream):
        self.port, self.threads = free_port(), {}
        # Nothing of the user's is read or written.
        home = tempfile.mkdtemp(prefix="overhead-")
        (pathlib.Path(home) / "nginx.conf").write_text(NGINX.format(home=home, port=self.port, upstream=upstream))
        places = {"port": self.port, "upstream": f"http://127.0.0.1:{upstream}", "upstream_port": upstream, "home": home}
        command = [part.format(**places) for part in command]
        began = time.monotonic()
        self.process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], "HOME": home}, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.listening_ms = self.wait_for_port(began)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def wait_for_port(self, began):
        while time.monotonic() - began < 20:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return 1000 * (time.monotonic() - began)
            except OSError:
                time.sleep(0.0005)
        sys.exit(f"{self.process.args[0]} does not listen")

    def cpu_ms(self):
        """CPU time of all threads so far, also of those that have ended."""
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                with open(f"/proc/{self.process.pid}/task/{thread}/schedstat") as file:
                    self.threads[thread] = int(file.read().split()[0])
            except OSError:
                pass
        return sum(self.threads.values()) / 1e6

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
            sys.exit(f"{self.process.args[0]} answered {answer.status}: {text[:300]!r}")

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


def fanlight(options, binary=None):
    """How fanlight is started."""
    return [str(binary or options.binary), "serve", "--listen", "127.0.0.1:{port}", "--upstream", "{upstream}", "--dialect", "anthropic",
            "--num-ctx", str(options.window)]


def peers(options):
    """All that is measured side by side: how each is started, and the headers that its requests have."""
    found = {"fanlight": (fanlight(options), {}), "fanlight, off": (fanlight(options), OFF)}
    if options.beside:
        found["the other build"] = (fanlight(options, options.beside), {})
    if shutil.which("node"):
        found["node relay"] = (["node", str(ROOT / "tests/measure/relay.mjs"), "{port}", "{upstream_port}"], {})
    if shutil.which("nginx"):
        found["nginx"] = (["nginx", "-c", "{home}/nginx.conf"], {})
    for peer in options.peer:
        name, command = peer.split("=", 1)
        found[name] = (shlex.split(command), {})
    return found


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
    proxy = Proxy(fanlight(options), upstream)
    starts = [proxy.listening_ms]
    proxy.ready()
    began = time.monotonic()
    proxy.send(request, {})
    first_ms = 1000 * (time.monotonic() - began)
    proxy.at_rest()
    first = proxy.resident_mb()
    proxy.cost([request] * 20, {})
    for name, headers in (("through", {}), ("off", OFF)):
        rows.append(row(f"same, {name}", len(request), proxy.cost([request] * options.count, headers)))
    rows.append(row("varied, through", len(request), proxy.cost(varied(request, options.count), {})))
    last = proxy.resident_mb()
    proxy.stop()

    session = session_of(options.session) if options.session else synthetic_session()
    size = sum(map(len, session)) / len(session)
    for name, headers in (("through", {}), ("off", OFF)):
        costs = []
        while len(costs) < options.count:
            proxy = Proxy(fanlight(options), upstream)
            starts.append(proxy.listening_ms)
            proxy.ready()
            # The head of every session is the same: what is measured is how it grows.
            proxy.send(session[0], headers)
            costs += proxy.cost(session[1:], headers)
            proxy.stop()
        rows.append(row(f"session, {name}", size, costs))
    return {"rows": rows, "first_request_ms": round(first_ms, 1), "resident_mb": {"first": round(first, 1), "after": round(last, 1)},
            "listening_ms": {"p50": round(sorted(starts)[len(starts) // 2], 1), "most": round(max(starts), 1)}}


WORDS = "harbour tide lock sluice ferry chart beacon mooring channel depth wind bell pier crane berth signal".split()


def text_of(seed, size):
    """Lines of source, of our own words, about so many bytes of them: other ones for each seed."""
    lines, length, state = [], 0, seed * 2654435761 % 2**32
    while length < size:
        state = (state * 1664525 + 1013904223) % 2**32
        words = [WORDS[state >> shift & 15] for shift in (8, 13, 18, 23)]
        lines.append(f"    let {words[0]}_{words[1]} = self.{words[2]}({state % 997}, \"{words[3]}\");")
        length += len(lines[-1]) + 1
    return "\n".join(lines)


def history(count):
    """So many messages: a prompt every forty, and between them readings, edits and commands."""
    messages = []
    while len(messages) < count:
        at, path = len(messages), f"/w/src/part{len(messages) // 2 % 23}.rs"
        if at % 40 == 0:
            messages.append({"role": "user", "content": [{"type": "text", "text": f"Go on with part {at}: {text_of(at, 200)}"}]})
            continue
        use = {"type": "tool_use", "id": f"toolu_{at:020}"}
        result = text_of(at, 2600)
        if at % 6 == 1:
            use |= {"name": "Read", "input": {"file_path": path}}
            result = "\n".join(f"{number:>6}\t{line}" for number, line in enumerate(result.split("\n"), 1))
        elif at % 6 == 3:
            use |= {"name": "Edit", "input": {"file_path": path, "old_string": text_of(at - 2, 300), "new_string": text_of(at, 300)}}
        else:
            use |= {"name": "Bash", "input": {"command": f"make part{at % 7} && ./part{at % 7} --check"}}
        messages.append({"role": "assistant", "content": [{"type": "text", "text": f"Step {at}."}, use]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": use["id"], "content": result}]})
        if at % 40 == 37:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "Done."}]})
    return messages[:count]


def turns(options, count, more):
    """The body of a history of so many messages, and of its next turns; the newest message is marked, as clients do."""
    head = json.loads(pathlib.Path(options.request).read_bytes())
    first = head.pop("messages")[0]
    every = history(count + 2 * more + 2)
    for end in range(count, count + 2 * more + 1, 2):
        end += every[end - 1]["role"] == "assistant"
        last = every[end - 1]
        marked = {**last, "content": [*last["content"][:-1], {**last["content"][-1], "cache_control": {"type": "ephemeral"}}]}
        body = {"model": head["model"], "messages": [first, *every[:end - 1], marked], **head}
        yield json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def growth(options, stand_in):
    """What turns of longer and longer histories cost, side by side."""
    upstream, rows = stand_in.server_address[1], []
    for count in options.messages:
        bodies = list(turns(options, count, options.turns))
        running = {name: (Proxy(command, upstream), headers) for name, (command, headers) in peers(options).items()}
        costs = {name: [] for name in running}
        firsts = {}
        for name, (proxy, headers) in running.items():
            # As a client that is started with it does: at once.
            began, before = time.monotonic(), proxy.cpu_ms()
            proxy.send(bodies[0], headers)
            firsts[name] = (1000 * (time.monotonic() - began), proxy.at_rest(10) - before)
            costs[name].append(firsts[name][1])
        for body in bodies[1:]:
            for name, (proxy, headers) in running.items():
                costs[name] += proxy.cost([body], headers)
        for name, (proxy, _) in running.items():
            cold, warm = costs[name][0], sorted(costs[name][1:])
            rows.append({"messages": count, "kb": round(len(bodies[-1]) / 1000), "proxy": name, "first_ms": round(firsts[name][0], 1), "cold": round(cold, 2),
                         "warm": round(warm[len(warm) // 2], 2), "most": round(warm[-1], 2), "mb": round(proxy.resident_mb(), 1)})
            proxy.stop()
    return {"growth": rows}


def show_growth(found):
    print(f"{'messages':>8} {'KB':>6} {'proxy':18} {'first ms':>8} {'cold':>8} {'warm':>7} {'most':>7} {'MB':>6}   CPU-ms a request, memory at the end")
    for entry in found["growth"]:
        print(f"{entry['messages']:>8} {entry['kb']:>6} {entry['proxy']:18} {entry['first_ms']:>8} {entry['cold']:>8} {entry['warm']:>7} {entry['most']:>7} {entry['mb']:>6}")


def within(found):
    same = next(row["mean"] for row in found["rows"] if row["row"] == "same, through")
    return (same <= LIMITS["cpu_ms"] and found["resident_mb"]["first"] <= LIMITS["resident_mb"]
            and found["listening_ms"]["most"] <= LIMITS["listening_ms"])


def show(found):
    print(f"{'CPU-ms a request':20} {'requests':>8} {'KB':>7} {'mean':>6} {'p50':>6} {'p99':>6}")
    for entry in found["rows"]:
        print(f"{entry['row']:20} {entry['requests']:>8} {entry['kb']:>7} {entry['mean']:>6} {entry['p50']:>6} {entry['p99']:>6}")
    resident, listening = found["resident_mb"], found["listening_ms"]
    print(f"the first request after {found['first_request_ms']} ms")
    print(f"resident: {resident['first']} MB after the first request, {resident['after']} MB at the end")
    print(f"listening after: {listening['p50']} ms, {listening['most']} ms at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--request", default=ROOT / "fixtures/requests/classic/hello.json", help="a body of POST /v1/messages")
    parser.add_argument("--session", help="a folder of bodies, in the order of their names")
    parser.add_argument("--window", type=int, default=8192)
    parser.add_argument("--count", type=int, default=500, help="requests a row, at least")
    parser.add_argument("--growth", action="store_true", help="histories of growing length, and peers side by side")
    parser.add_argument("--messages", type=lambda text: [int(n) for n in text.split(",")], default=[9, 99, 199, 499, 985, 1999])
    parser.add_argument("--turns", type=int, default=12, help="turns that follow on each history")
    parser.add_argument("--beside", help="another build of fanlight")
    parser.add_argument("--peer", action="append", default=[], help="NAME=COMMAND of another proxy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a limit is not kept")
    options = parser.parse_args()
    with StandIn() as stand_in:
        found = (growth if options.growth else measure)(options, stand_in)
        stand_in.shutdown()
    print(json.dumps(found)) if options.json else (show_growth if options.growth else show)(found)
    sys.exit(1 if options.check and not options.growth and not within(found) else 0)


if __name__ == "__main__":
    main()
