#!/usr/bin/env python3
"""What a real Ollama does to tools, calls and windows, and that none of it happens through fanlight.

    STANDIN=path/to/ollama-standin tests/ollama/findings.py target/debug/fanlight

STANDIN is a folder with `up`, `say`, `prompts` and `down`: a real Ollama whose model answers from a script. Needs a network
namespace with loopback (the script makes one). One line a case; exit status 1 when one fails.
"""
import json, os, subprocess, sys, tempfile, time, urllib.error, urllib.request

STANDIN, LISTEN = os.environ.get("STANDIN", ""), 11435


def tool(name, *keys, **extra):
    properties = {key: {"type": "string"} for key in keys}
    properties.update(extra)
    return {"name": name, "description": f"{name} does its work.", "input_schema": {"type": "object", "properties": properties, "required": list(keys)}}


TOOLS = [tool("Read", "file_path", limit={"type": "number"}), tool("Write", "file_path", "content"), tool("Bash", "command", timeout={"type": "number"})]
NESTED = tool("Plan", steps={"type": "array", "items": {"type": "object", "properties": {"step": {"enum": ["a", "b"]}}}, "minItems": 1, "maxItems": 9},
              mode={"type": ["string", "null"], "enum": ["x", "y"], "default": "x"}, any=True)
PROMPT = {"role": "user", "content": "Look into notes.txt."}
STEP = [{"role": "assistant", "content": [{"type": "text", "text": "I read."}, {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "notes.txt"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "gate code 4711"}]}]
CALL = '{"name": "Read", "arguments": {"file_path": "notes.txt"}}'


class Stack:
    def __init__(self, fanlight, state):
        self.fanlight, self.state, self.proxy = fanlight, state, None
        self.cli("up")

    def cli(self, command, *arguments):
        done = subprocess.run([os.path.join(STANDIN, command), "--state", self.state, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def serve(self, model):
        self.stop()
        command = [self.fanlight, "serve", "--listen", f"127.0.0.1:{LISTEN}", "--upstream", "http://127.0.0.1:11434", "--model", model]
        self.proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{LISTEN}/fanlight/health", timeout=5).read()
                return
            except OSError:
                time.sleep(0.1)

    def doctor(self, model):
        command = [self.fanlight, "doctor", "--no-ledger", "--upstream", "http://127.0.0.1:11434", "--model", model]
        return subprocess.run(command, capture_output=True, text=True).stdout

    def stop(self):
        if self.proxy:
            self.proxy.terminate()
            self.proxy.wait()

    def ask(self, messages, tools=TOOLS, system="You help.", **more):
        body = {"model": "any", "max_tokens": 500, "system": system, "messages": messages, "tools": tools, **more}
        request = urllib.request.Request(f"http://127.0.0.1:{LISTEN}/v1/messages", json.dumps(body).encode(), {"content-type": "application/json"})
        try:
            raw = urllib.request.urlopen(request, timeout=60).read().decode()
        except urllib.error.HTTPError as error:
            raw = error.read().decode()
        self.last = raw
        return raw if more.get("stream") else json.loads(raw)

    def prompts(self):
        return [json.loads(line) for line in self.cli("prompts", "-n", "0", "--json").splitlines() if line.strip()]


def text(prompt):
    return prompt["prompt"] if isinstance(prompt.get("prompt"), str) else json.dumps(prompt)


def calls(answer):
    return [(block["name"], block["input"]) for block in answer.get("content", []) if block["type"] == "tool_use"]


def said(answer):
    return "".join(block.get("text", "") for block in answer.get("content", []))


def case_broken_list(s):
    """a Go template prints no broken list of tools"""
    s.serve("q25"); s.cli("say", '{"name": "Answer", "arguments": {"text": "Done."}}')
    s.ask([PROMPT]); shown = text(s.prompts()[-1])
    return "Read(file_path" in shown and "{Read Read" not in shown and "<nil>" not in shown


def case_history(s):
    """a past call with text beside it is not dropped by the template"""
    s.serve("q25"); s.cli("say", '{"name": "Answer", "arguments": {"text": "Done."}}')
    s.ask([PROMPT, *STEP]); shown = text(s.prompts()[-1])
    return "I read." in shown and CALL in shown and "4711" in shown


def case_swallowed(s):
    """a call of a tool that is not there is not swallowed"""
    s.serve("q25"); s.cli("say", 'I go.<tool_call>{"name": "Skil", "arguments": {"skill": "init"}}</tool_call>')
    answer = s.ask([PROMPT])
    return bool(said(answer).strip()) or bool(calls(answer))


def case_substring(s):
    """a call of TodoWrite does not become one of Write"""
    s.serve("q25"); s.cli("say", '<tool_call>{"name": "TodoWrite", "arguments": {"todos": []}}</tool_call>')
    return not any(name == "Write" for name, _ in calls(s.ask([PROMPT])))


def case_leak(s):
    """a call in a fence, with a wrong key, is read and healed"""
    s.serve("q25"); s.cli("say", '```json\n{"name": "Read", "arguments": {"file": "notes.txt", "limit": null}}\n```')
    return calls(s.ask([PROMPT])) == [("Read", {"file_path": "notes.txt"})]


def case_llama(s):
    """llama's template shows the tools behind a result too"""
    s.serve("llama31"); s.cli("say", "Done.")
    s.ask([PROMPT, *STEP]); shown = text(s.prompts()[-1])
    return "Read(file_path" in shown and "4711" in shown


def case_system(s):
    """a system message in the middle reaches qwen3-coder"""
    s.serve("q3c"); s.cli("say", "Done.")
    s.ask([PROMPT, {"role": "system", "content": "The moon is blue."}, *STEP])
    return "The moon is blue." in text(s.prompts()[-1])


def case_random(s):
    """twelve equal requests give one prompt"""
    s.serve("q3c"); s.cli("say", "Done."); s.cli("prompts", "--clear")
    for _ in range(12):
        s.ask([PROMPT], [*TOOLS, NESTED])
    return len({text(prompt) for prompt in s.prompts()}) == 1


def case_refused_schema(s):
    """schemas that Ollama refuses are rewritten"""
    s.serve("native"); s.cli("say", "Done.")
    return said(s.ask([PROMPT], [*TOOLS, NESTED])).strip() == "Done."


def case_native_call(s):
    """a call of the engine goes through"""
    s.serve("native")
    turn = [[{"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "Read", "arguments": "{\"file_path\": \"a\"}"}}]}]]
    with open(os.path.join(s.state, "scenario.json"), "w") as f:
        json.dump({"turns": turn}, f)
    answer = s.ask([PROMPT])
    return calls(answer) == [("Read", {"file_path": "a"})] and answer["stop_reason"] == "tool_use"


def case_harmony(s):
    """a harmony call is read"""
    s.serve("harmony"); s.cli("say", '<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{"file_path": "a"}')
    return calls(s.ask([PROMPT])) == [("Read", {"file_path": "a"})]


def case_notools(s):
    """a template without tools is not refused"""
    s.serve("notools"); s.cli("say", CALL)
    return calls(s.ask([PROMPT])) == [("Read", {"file_path": "notes.txt"})]


def case_window(s):
    """a long history in a small window is never cut by the server"""
    s.serve("q25-2048"); s.cli("say", '{"name": "Answer", "arguments": {"text": "Done."}}'); s.cli("prompts", "--clear")
    messages = [PROMPT]
    for at in range(12):
        call = {"type": "tool_use", "id": f"c{at}", "name": "Bash", "input": {"command": f"cat part{at}"}}
        lines = "\n".join(f"line {at} {n} of a long file" for n in range(40))
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"c{at}", "content": lines}]}]
        s.ask(messages)
    shown = s.prompts()
    return all(p["n"] < 2048 and not p["as_tokens"] for p in shown) and all("Look into notes.txt." in text(p) for p in shown)


def case_silent_end(s):
    """a stream that breaks in the middle ends with an error or a whole tail"""
    s.serve("q25"); s.cli("say", "--fragment", "4", "--drop", "this is a text that breaks off")
    raw = s.ask([PROMPT], stream=True)
    return "event: error" in raw or "message_stop" in raw


def case_rendering(s):
    """what Ollama renders is as expected for every family, and a template that drops the system text is named"""
    seen = {model: s.doctor(model) for model in ("q25", "llama31", "q3c", "harmony", "native", "notools")}
    dropped = seen.pop("notools")
    return all("ok      prompts: rendered as expected" in text for text in seen.values()) and "warning prompts:" in dropped and "system text" in dropped


def case_length(s):
    """a call cut by length is said, not completed"""
    s.serve("q25"); s.cli("say", "--stop", "limit", '{"name": "Write", "arguments": {"file_path": "a", "content": "x')
    answer = s.ask([PROMPT])
    return not calls(answer) and answer["stop_reason"] == "max_tokens" and "cut off" in said(answer)


def main():
    if os.environ.get("FANLIGHT_INSIDE") != "1":
        os.environ["FANLIGHT_INSIDE"] = "1"
        inside = 'ip link set lo up && exec python3 "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "bash", "-c", inside, os.path.abspath(__file__), *sys.argv[1:]])
    bad = 0
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(sys.argv[1], state)
        for name, case in [(n, c) for n, c in globals().items() if n.startswith("case_")]:
            try:
                good = case(stack)
            except Exception as error:  # a case that cannot be asked has failed
                good = False
                print("   ", repr(error)[:300])
            if not good and os.environ.get("DEBUG"):
                print("   ", getattr(stack, "last", "")[:1500])
            bad += not good
            print("ok    " if good else "FAILED", case.__doc__, flush=True)
        stack.stop()
        stack.cli("down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
