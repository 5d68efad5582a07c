"""Upstreams: who answers model calls. Each in its own request and streaming format, told to us in OpenAI's (SPEC L2).

No database and no opinion about wallets: a request goes out, an answer and what it used come back.
"""
