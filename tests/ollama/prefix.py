#!/usr/bin/env python3
"""What a real server takes from its key-value cache over a session through fanlight, beside what fanlight expects of it.

    STACK=path/to/real-stack tests/ollama/prefix.py target/release/fanlight CAPTURES [--server ollama|llama-server] [--clients V,V]
        [--num-ctx N] [--turns N] [--sessions NAME,NAME]

STACK is a folder with `up` and `down`: a real model server with a small model. CAPTURES/CLIENT/loop is a session of a real client
(counts.py says how it is kept). Three sessions a client, all with the client's own head:
  lived      the model's own replies go back to it as a client would send them, each with a short result or a next prompt
  elsewhere  the first request of another session, in another folder
  replayed   the client's own requests, whose replies the model has not written: its cache ends where each of them begins
A line a request: tokens read, tokens from the cache as the server says and as fanlight expected, seconds of CPU of the server.
"""
import argparse, json, os, re, subprocess, sys, tempfile, time, urllib.error, urllib.request

sys.dont_write_bytecode = True
from counts import LISTEN, bodies, get, post, wait

STACK, PORT = os.environ.get("STACK", ""), 11434
REPLY, TICKS = 40, os.sysconf("SC_CLK_TCK")
PROMPTS = ["Look at the file notes.txt and say what it is about.", "Is there anything in it that has to be done first?",
           "How many entries are there?", "Which of them is the oldest?", "Put the word done at the end of notes.txt."]
RESULT = "1: feed the cat\n2: call the plumber\n3: {} letters to write"


def cpu(pid):
    """CPU time of a process and all below it, those that have ended included."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    below = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return sum(int(field) for field in fields[11:15]) / TICKS + sum(cpu(child) for child in below)


class Server:
    def __init__(self, options, state):
        self.state = state
        command = [os.path.join(STACK, "up"), "--state", state, "--server", options.server, "--num-ctx", str(options.num_ctx), "--port", str(PORT)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        with open(os.path.join(state, "server.json")) as file:
            self.pid = json.load(file)["pid"]
        command = [options.fanlight, "serve", "--listen", f"127.0.0.1:{LISTEN}", "--num-ctx", str(options.num_ctx), "--no-ledger"]
        self.proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(f"http://127.0.0.1:{LISTEN}/fanlight/health")
        time.sleep(2)

    def stop(self):
        self.proxy.terminate()
        self.proxy.wait()
        subprocess.run([os.path.join(STACK, "down"), "--state", self.state], stdout=subprocess.DEVNULL)

    def ask(self, body, reply=REPLY):
        """The message that comes, and what it cost. Where fanlight asked again, this is said of the last time."""
        body = {**body, "max_tokens": reply, "stream": False}
        before = cpu(self.pid)
        try:
            message = json.load(post(f"http://127.0.0.1:{LISTEN}/v1/messages", body, 900))
        except urllib.error.HTTPError as error:
            return None, error.read().decode()
        report = get(f"http://127.0.0.1:{LISTEN}/fanlight/report")["last"]
        return message, (report["upstream"], report.get("predicted_cached"), report["after"]["total"], report["cuts"], cpu(self.pid) - before)


class Table:
    def __init__(self):
        print("| client | session | request | read | cached | of the prompt | of the one before | we expected | cuts | CPU-s |\n|---|---|---|---|---|---|---|---|---|---|")

    def line(self, client, session, number, cost, before):
        if isinstance(cost, str):
            return print(f"| {client} | {session} | {number} | {cost} |", flush=True)
        usage, expected, ours, cuts, seconds = cost
        read, cached = usage.get("prompt") or 0, usage.get("cached")
        of = lambda whole: f"{100 * cached / whole:.0f} %" if whole and cached is not None else ""
        print(f"| {client} | {session} | {number} | {read} | {cached} | {of(read)} | {of(before)} | {expected} of {ours} | {cuts} | {seconds:.1f} |", flush=True)
        return read


def lived(server, table, client, head, turns):
    messages, before, prompts = [], 0, list(PROMPTS)
    first = head["messages"][0]["content"]
    lead = [block for block in first if block["text"].startswith("<system-reminder>")] if isinstance(first, list) else []
    behind = [message for message in head["messages"][1:] if message["role"] == "system"]
    messages = [{"role": "user", "content": [*lead, {"type": "text", "text": prompts.pop(0)}]}, *behind]
    for number in range(1, turns + 1):
        message, cost = server.ask({**head, "messages": messages})
        before = table.line(client, "lived", number, cost, before)
        if message is None:
            return
        messages.append({"role": "assistant", "content": message["content"]})
        calls = [block for block in message["content"] if block["type"] == "tool_use"]
        if calls:
            results = [{"type": "tool_result", "tool_use_id": call["id"], "content": RESULT.format(number)} for call in calls]
            messages.append({"role": "user", "content": results})
        else:
            prompts = prompts or list(PROMPTS)
            messages.append({"role": "user", "content": [{"type": "text", "text": prompts.pop(0)}]})


def elsewhere(server, table, client, head):
    folder = re.search(r"orking directory: ([^\s\\]+)", json.dumps(head)).group(1)
    moved = json.loads(json.dumps(head).replace(folder, "/srv/people/kim/greenhouse"))
    moved["messages"] = json.loads(json.dumps(moved["messages"]).replace("Add division support", "Water all plants"))
    table.line(client, "elsewhere", 1, server.ask(moved, 1)[1], 0)


def replayed(server, table, client, requests):
    before = 0
    for number, body in enumerate(requests, 1):
        before = table.line(client, "replayed", number, server.ask(body)[1], before)


def main():
    if os.environ.get("FANLIGHT_INSIDE") != "1":
        os.environ["FANLIGHT_INSIDE"] = "1"
        inside = 'ip link set lo up && exec python3 "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "bash", "-c", inside, os.path.abspath(__file__), *sys.argv[1:]])
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("fanlight")
    options.add_argument("captures")
    options.add_argument("--server", choices=["ollama", "llama-server"], default="ollama")
    options.add_argument("--clients", type=lambda text: text.split(","), default=["2.1.15", "2.1.330"])
    options.add_argument("--num-ctx", type=int, default=8192)
    options.add_argument("--sessions", type=lambda text: text.split(","), default=["lived", "elsewhere", "replayed"])
    options.add_argument("--turns", type=int, default=10)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as state:
        server = Server(options, state)
        try:
            table = Table()
            for client in options.clients:
                requests = [json.loads(body) for body in bodies(os.path.join(options.captures, client, "loop"))][: options.turns]
                sessions = {"lived": lambda: lived(server, table, client, requests[0], options.turns),
                            "elsewhere": lambda: elsewhere(server, table, client, requests[0]),
                            "replayed": lambda: replayed(server, table, client, requests)}
                for name in options.sessions:
                    sessions[name]()
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
