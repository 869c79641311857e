#!/usr/bin/env python3
"""What fanlight counts against what Ollama reads, and that nothing is ever cut, on requests that real clients sent.

    STANDIN=path/to/ollama-standin ENGINE=path/to/llama-server WEIGHTS=qwen.gguf \\
        tests/ollama/counts.py target/release/fanlight CAPTURES [--clients V,V] [--scenes S,S] [--windows N,N] [--models NAME,NAME]

CAPTURES/CLIENT/SCENE/NNN.json are bodies, with meta.jsonl beside them that says which are of kind `main`. Ollama is real, what its
model says comes from a script, and the tokens are those of the weights: ENGINE is asked for them and computes nothing. The network
is a namespace of its own. A line a client, scene, model and window: prompts (those that fanlight asked again by itself too),
refusals, cuts, and our count less Ollama's in percent, least and largest. Exit status 1 at a cut or a count that is under.
"""
import argparse, json, os, subprocess, sys, tempfile, time, urllib.error, urllib.request

STANDIN, ENGINE, WEIGHTS = (os.environ.get(name, "") for name in ("STANDIN", "ENGINE", "WEIGHTS"))
LISTEN, TOKENS = 11435, 8099
ANSWER = '{"name": "Answer", "arguments": {"text": "Done."}}'


def post(url, body, timeout=120):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"}), timeout=timeout)


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def wait(url, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"nobody answers at {url}")


def standin(command, state, *arguments):
    subprocess.run([os.path.join(STANDIN, command), "--state", state, *arguments], stdout=subprocess.DEVNULL, check=True)


def bodies(folder):
    with open(os.path.join(folder, "meta.jsonl")) as lines:
        meta = [json.loads(line) for line in lines if line.strip()]
    for one in meta:
        if one["kind"] == "main":
            with open(os.path.join(folder, one["file"]), "rb") as body:
                yield body.read()


class Proxy:
    """fanlight before the stand-in, with one model and one window."""

    def __init__(self, fanlight, state, model, window):
        self.prompts, self.window = os.path.join(state, "prompts"), window
        self.margin = window // 50 + 64
        command = [fanlight, "serve", "--listen", f"127.0.0.1:{LISTEN}", "--model", model, "--num-ctx", str(window), "--no-ledger"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(f"http://127.0.0.1:{LISTEN}/fanlight/health")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def asked(self):
        return len(os.listdir(self.prompts)) if os.path.isdir(self.prompts) else 0

    def send(self, body):
        """The prompts that a request makes: (our count, Ollama's, whether it is cut). None: refused."""
        before = self.asked()
        try:
            post(f"http://127.0.0.1:{LISTEN}/v1/messages", body).read()
        except urllib.error.HTTPError as error:
            error.read()
            return None
        seen = [self.seen(number) for number in range(before + 1, self.asked() + 1)]
        report = get(f"http://127.0.0.1:{LISTEN}/fanlight/report")["last"]
        # What is reported has to be what was read: the first prompt by our count, one of them by Ollama's.
        if seen and (seen[0][0] != report["after"]["total"] or report["upstream"]["prompt"] not in [n for _, n, _ in seen]):
            raise SystemExit(f"the report says something else: {seen} {report['after']} {report['upstream']}")
        return seen

    def seen(self, number):
        with open(os.path.join(self.prompts, f"{number:03d}.json")) as file:
            prompt = json.load(file)
        n, window = prompt["n"], self.window
        signs = (n in (window, window - 1) or window // 2 + 1 <= n <= window // 2 + 4)
        ours = window - self.margin - prompt["options"]["n_predict"]
        cut = prompt["as_tokens"] or n >= window or prompt["ctx"] != window or (signs and ours > n + n // 10)
        return ours, n, cut


def measure(proxy, folder):
    prompts, refused, cuts, differences = 0, 0, 0, []
    for body in bodies(folder):
        seen = proxy.send(body)
        if seen is None:
            refused += 1
            continue
        prompts += len(seen)
        cuts += sum(cut for _, _, cut in seen)
        differences += [(100 * (ours - n) / n, n) for ours, n, _ in seen]
    return prompts, refused, cuts, differences


def run(options, state):
    engine = subprocess.Popen([ENGINE, "-m", WEIGHTS, "-c", "64", "--host", "127.0.0.1", "--port", str(TOKENS), "-t", "1", "--no-warmup"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    good = True
    try:
        wait(f"http://127.0.0.1:{TOKENS}/health", 180)
        standin("up", state, "--tokenizer", f"http://127.0.0.1:{TOKENS}")
        standin("say", state, ANSWER)
        for model in options.models:
            post("http://127.0.0.1:11434/api/create", {"model": model, "from": "q25", "stream": False}).read()
        print("| client | scene | model | window | prompts | refused | cuts | tokens | ours over Ollama's, % |\n|---|---|---|---|---|---|---|---|---|")
        for model in options.models:
            for window in options.windows:
                for client in options.clients:
                    for scene in options.scenes:
                        good &= line(options, state, model, window, client, scene)
    finally:
        subprocess.run([os.path.join(STANDIN, "down"), "--state", state], stdout=subprocess.DEVNULL)
        engine.terminate()
        engine.wait()
    return good


def line(options, state, model, window, client, scene):
    proxy = Proxy(options.fanlight, state, model, window)
    try:
        prompts, refused, cuts, differences = measure(proxy, os.path.join(options.captures, client, scene))
    finally:
        proxy.stop()
    least, most = min(differences)[0], max(differences)[0]
    tokens = [n for _, n in differences]
    print(f"| {client} | {scene} | {model} | {window} | {prompts} | {refused} | {cuts} | {min(tokens)} to {max(tokens)} | {least:+.1f} to {most:+.1f} |", flush=True)
    return not cuts and least >= 0


def main():
    if os.environ.get("FANLIGHT_INSIDE") != "1":
        os.environ["FANLIGHT_INSIDE"] = "1"
        inside = 'ip link set lo up && exec python3 "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "bash", "-c", inside, os.path.abspath(__file__), *sys.argv[1:]])
    names = lambda text: text.split(",")
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("fanlight")
    options.add_argument("captures")
    options.add_argument("--clients", type=names, default=["2.1.15", "2.1.330"])
    options.add_argument("--scenes", type=names, default=["loop", "mcp40", "long"])
    options.add_argument("--windows", type=lambda text: [int(n) for n in names(text)], default=[2048, 4096, 8192, 32768])
    options.add_argument("--models", type=names, default=["qwen2.5-coder:7b", "qwen2.5-coder:1.5b"])
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as state:
        return 0 if run(options, state) else 1


if __name__ == "__main__":
    sys.exit(main())
