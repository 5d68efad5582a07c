"""`/api/llm/proxy`: chat completions of any model that is offered here, paid from the wallet (SPEC §6, §12.3)."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request
from pydantic import ConfigDict, Field

from app.api import calls
from app.api.values import Answer, Body
from app.extensions import db
from app.flows import proxy_llm
from app.flows.proxy_llm import Caller, Proxy, Streamed
from app.http import idempotency
from app.upstreams.chat import ChatRequest

LARGEST_BODY = 1_000_000  # bytes
CALL_ID = "Purser-Call"

llm_proxy = calls.group("api_llm", "Models", "Calls to models of several upstreams, paid from the wallet.")


class ChatCompletionRequest(ChatRequest, Body):
    """OpenAI's chat completions, with one answer of text or of function calls."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "gpt-5-mini",
                    "messages": [{"role": "user", "content": "Say hello in Welsh."}],
                    "max_tokens": 200,
                }
            ]
        }
    )


class ChatCompletion(Answer):
    """An answer in one piece, as OpenAI tells it, whichever upstream it is from. There may be more fields."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=["chatcmpl-9x2"])
    object: str = Field(examples=["chat.completion"])
    created: int = Field(description="Seconds since 1970.", examples=[1795253400])
    model: str = Field(examples=["gpt-5-mini"])
    choices: list[dict[str, Any]] = Field(
        examples=[[{"index": 0, "message": {"role": "assistant", "content": "Helo!"}, "finish_reason": "stop"}]]
    )
    usage: dict[str, Any] | None = Field(
        default=None, examples=[{"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}]
    )


_ANSWERS = {
    "description": "The answer; with `stream` OpenAI's server-sent events, the last of which is `[DONE]`.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ChatCompletion"}},
        "text/event-stream": {"schema": {"type": "string"}},
    },
}


@llm_proxy.post("/api/llm/proxy", responses={200: _ANSWERS})
@calls.call("billing:write", scope="llm:use", keyed=True, pays=True, asks=True, largest=LARGEST_BODY)
def create(body: ChatCompletionRequest) -> Response:
    """Call a model

    What the call can cost at most is held in the wallet before it goes upstream, and what it did cost is taken after
    it: the upstream's own price, to the millionth of a dollar. A wallet that pays for less gets a shorter answer, an
    empty one 402 `wallet-empty`. A call that fails upstream costs nothing; who leaves in the middle pays for the input
    and for what was streamed. A stream cannot be given twice, so its Idempotency-Key answers 409 the second time.
    """
    given = request.headers.get(idempotency.HEADER)
    key = None if given is None else idempotency.read_key(given)
    caller = Caller(calls.customer_id(), calls.caller().key_id, key, dict(request.headers))
    proxy: Proxy = current_app.extensions["llm_proxy"]
    db.session.rollback()  # nothing that was read stays open while a model writes
    if body.stream:
        return _streaming(proxy_llm.stream(proxy, caller, body))
    if key is None:
        call_id, answer = proxy_llm.whole(proxy, caller, body)
        return _answer(answer, call_id=call_id)
    kept = idempotency.answer_once(
        db.session,
        customer_id=caller.customer_id,
        key=key,
        request=["llm", body.model_dump(mode="json")],
        do=lambda: (200, _kept(*proxy_llm.whole(proxy, caller, body))),
    )
    return _answer(kept.body["answer"], call_id=kept.body["call_id"], replayed=kept.replayed)


def _streaming(streamed: Streamed) -> Response:
    """The server closes what it sends, whether it came to its end or its reader has gone; that settles the call."""
    answer = current_app.response_class(streamed, mimetype="text/event-stream")
    answer.headers[CALL_ID] = streamed.call_id
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would gather events otherwise
    return answer


def _answer(told: dict[str, Any], *, call_id: str, replayed: bool = False) -> Response:
    answer = current_app.make_response(told)
    answer.headers[CALL_ID] = call_id
    if replayed:
        answer.headers[idempotency.REPLAYED] = "true"
    return answer


def _kept(call_id: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"call_id": call_id, "answer": answer}
