"""Unmodified Python clients against the OpenAI door. Each case is one line of JSON on standard output.

argv[1] is JSON: base (an address to which `/<case>/v1` is added), model, key, capped (a key whose cap is used up),
questions (json, long).
"""

import json
import sys

SETUP = json.loads(sys.argv[1])
MODEL = SETUP["model"]
HELLO = [{"role": "user", "content": "Say hello"}]
JSON_ASK = [{"role": "user", "content": SETUP["questions"]["json"]}]
LONG_ASK = [{"role": "user", "content": SETUP["questions"]["long"]}]
SENTENCE = "API 키"


def address(client, case):
    return f"{SETUP['base']}/{client}-{case}/v1"


def openai_python(case):
    from openai import APIStatusError, OpenAI

    key = SETUP["capped"] if case == "capped" else SETUP["key"]
    client = OpenAI(base_url=address("openai", case), api_key=key, timeout=60)
    ask = client.chat.completions.create
    if case in ("plain", "busy"):
        answer = ask(model=MODEL, messages=HELLO)
        return {"text": answer.choices[0].message.content, "total": answer.usage.total_tokens}
    if case == "stream":
        chunks = list(ask(model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        return {"text": text, "total": chunks[-1].usage.total_tokens}
    if case == "json":
        answer = ask(model=MODEL, messages=JSON_ASK, response_format={"type": "json_object"})
        return {"json": json.loads(answer.choices[0].message.content)}
    if case == "abort":
        stream = ask(model=MODEL, messages=LONG_ASK, stream=True)
        turn = stream.response.headers["x-turnkeeper-turn-id"]
        seen = 0
        for chunk in stream:
            seen += len(chunk.choices[0].delta.content or "") > 0
            if seen == 2:
                break
        stream.close()
        return {"turn": turn}
    try:
        ask(model=MODEL, messages=HELLO)
    except APIStatusError as error:
        return {"status": error.status_code, "code": error.code, "told": SENTENCE in str(error)}


def langchain_python(case):
    from langchain_openai import ChatOpenAI
    from openai import APIStatusError

    key = SETUP["capped"] if case == "capped" else SETUP["key"]
    chat = ChatOpenAI(model=MODEL, base_url=address("langchain", case), api_key=key, timeout=60, stream_usage=True)
    if case in ("plain", "busy"):
        answer = chat.invoke("Say hello")
        return {"text": answer.content, "total": answer.usage_metadata["total_tokens"]}
    if case == "stream":
        whole = None
        for chunk in chat.stream("Say hello"):
            whole = chunk if whole is None else whole + chunk
        return {"text": whole.content, "total": whole.usage_metadata["total_tokens"]}
    if case == "json":
        answer = chat.bind(response_format={"type": "json_object"}).invoke(SETUP["questions"]["json"])
        return {"json": json.loads(answer.content)}
    if case == "abort":
        stream = chat.stream(SETUP["questions"]["long"])
        for seen, _ in enumerate(stream):
            if seen == 2:
                break
        stream.close()
        return {}
    try:
        chat.invoke("Say hello")
    except APIStatusError as error:
        return {"status": error.status_code, "code": error.code, "told": SENTENCE in str(error)}


def litellm_python(case):
    import litellm

    litellm.suppress_debug_info = True
    key = SETUP["capped"] if case == "capped" else SETUP["key"]

    def ask(**more):
        asked = {"messages": HELLO, "timeout": 60, **more}
        return litellm.completion(model=f"openai/{MODEL}", api_base=address("litellm", case), api_key=key, **asked)

    if case in ("plain", "busy"):
        answer = ask()
        return {"text": answer.choices[0].message.content, "total": answer.usage.total_tokens}
    if case == "stream":
        chunks = list(ask(stream=True, stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        totals = [c.usage.total_tokens for c in chunks if getattr(c, "usage", None)]
        return {"text": text, "total": totals[-1]}
    if case == "json":
        answer = ask(messages=JSON_ASK, response_format={"type": "json_object"})
        return {"json": json.loads(answer.choices[0].message.content)}
    if case == "abort":
        stream = ask(messages=LONG_ASK, stream=True)
        for seen, _ in enumerate(stream):
            if seen == 2:
                break
        stream.completion_stream.close()
        return {}
    try:
        ask()
    except litellm.exceptions.APIError as error:
        return {"status": error.status_code, "told": SENTENCE in str(error)}
    except Exception as error:  # litellm maps a status it has no class for to others of its own
        return {"status": getattr(error, "status_code", None), "told": SENTENCE in str(error)}


CLIENTS = {"openai": openai_python, "langchain": langchain_python, "litellm": litellm_python}

for name, run in CLIENTS.items():
    for case in ("plain", "stream", "json", "abort", "capped", "busy"):
        try:
            seen = run(case)
        except Exception as error:  # reported, and judged by who started this
            seen = {"failed": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps({"client": name, "case": case, "seen": seen}), flush=True)
