#!/usr/bin/env python3
"""The same conversation, sent again and after a restart of fanlight, gives the same bytes upstream and the same prompts.

    STANDIN=path/to/ollama-standin tests/ollama/same_bytes.py target/release/fanlight CAPTURES [--clients V,V] [--scenes S,S] [--num-ctx N]

CAPTURES as for counts.py. The hashes are those of the bodies that went to Ollama and of the prompts that it rendered, of all requests of
a scene in their order. A line a client and scene: requests, hash the first time, again, after a restart. Exit status 1 when two differ.
"""
import argparse, glob, hashlib, json, os, shutil, subprocess, sys, tempfile

sys.dont_write_bytecode = True
from counts import ANSWER, LISTEN, bodies, post, standin, wait

MODEL = "qwen2.5-coder:7b"


def session(fanlight, state, requests, num_ctx, times):
    """The hashes of a session that is sent so many times through one proxy."""
    record = os.path.join(state, "record")
    command = [fanlight, "serve", "--listen", f"127.0.0.1:{LISTEN}", "--model", MODEL, "--num-ctx", str(num_ctx), "--no-ledger", "--record", record]
    proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    hashes = []
    try:
        wait(f"http://127.0.0.1:{LISTEN}/fanlight/health")
        for _ in range(times):
            for folder in (record, os.path.join(state, "prompts")):
                for file in glob.glob(os.path.join(folder, "*")):
                    os.unlink(file)
            for body in requests:
                post(f"http://127.0.0.1:{LISTEN}/v1/messages", body).read()
            hashes.append(digest(record, os.path.join(state, "prompts")))
    finally:
        proxy.terminate()
        proxy.wait()
    shutil.rmtree(record)
    return hashes


def digest(record, prompts):
    """One hash of all bodies and prompts, in their order."""
    total = hashlib.sha256()
    for file in sorted(glob.glob(os.path.join(record, "*upstream*"))):
        with open(file, "rb") as body:
            total.update(hashlib.sha256(body.read()).digest())
    for file in sorted(glob.glob(os.path.join(prompts, "*.json"))):
        with open(file) as prompt:
            total.update(json.load(prompt)["prompt"].encode())
    return total.hexdigest()[:16]


def main():
    if os.environ.get("FANLIGHT_INSIDE") != "1":
        os.environ["FANLIGHT_INSIDE"] = "1"
        inside = 'ip link set lo up && exec python3 "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "bash", "-c", inside, os.path.abspath(__file__), *sys.argv[1:]])
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("fanlight")
    options.add_argument("captures")
    options.add_argument("--clients", type=lambda text: text.split(","), default=["2.1.15", "2.1.330"])
    options.add_argument("--scenes", type=lambda text: text.split(","), default=["loop", "mcp40"])
    options.add_argument("--num-ctx", type=int, default=8192)
    options = options.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as state:
        try:
            standin("up", state)
            standin("say", state, ANSWER)
            post("http://127.0.0.1:11434/api/create", {"model": MODEL, "from": "q25", "stream": False}).read()
            print("| client | scene | requests | first | again | after a restart |\n|---|---|---|---|---|---|")
            for client in options.clients:
                for scene in options.scenes:
                    requests = list(bodies(os.path.join(options.captures, client, scene)))
                    first, again = session(options.fanlight, state, requests, options.num_ctx, 2)
                    restarted, = session(options.fanlight, state, requests, options.num_ctx, 1)
                    good &= first == again == restarted
                    print(f"| {client} | {scene} | {len(requests)} | {first} | {again} | {restarted} |", flush=True)
        finally:
            standin("down", state)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
