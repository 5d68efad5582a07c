"""OpenRouter: OpenAI's language with a market behind it. It says what it charged, and is told the most it may."""

from __future__ import annotations

from app.upstreams import sse
from app.upstreams.dialect import Order, Outgoing, Upstream, Whole
from app.upstreams.openai import Passing, bearer, chat_body, whole
from app.upstreams.reader import Reader

_NOT_SENT_BACK = {"annotations", "audio", "function_call"}


class OpenRouter:
    """OpenRouter's chat completions."""

    name = "openrouter"
    base_url = "https://openrouter.ai/api/v1"

    def outgoing(self, upstream: Upstream, order: Order) -> Outgoing:
        body = chat_body(order, "max_tokens", without=_NOT_SENT_BACK)
        body["usage"] = {"include": True}
        if order.ceiling is not None:
            # Many sellers offer the same model at their own prices: none may be dearer than what is held.
            most = {
                "prompt": f"{order.ceiling.prompt:f}",
                "completion": f"{order.ceiling.completion:f}",
                "request": "0",
            }
            body["provider"] = {"max_price": most}
        return Outgoing("/chat/completions", bearer(upstream.key), sse.encoded(body))

    def whole(self, raw: bytes) -> Whole:
        return whole(raw, told_cost=True)

    def reader(self, order: Order) -> Reader:
        return Reader(Passing(tell_usage=order.request.wants_usage, told_cost=True), order.most)
