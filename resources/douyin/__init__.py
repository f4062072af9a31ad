"""The Open Platform's client: one for a whole run, which keeps tokens and limits by itself."""

from resources.douyin.client import DouyinClient
from resources.douyin.errors import CallFailed, NotConfigured, PagingError, QuotaExhausted
from resources.douyin.exchange import Answer, Exchange
from resources.douyin.paging import Resume, pages

__all__ = [
    "Answer",
    "CallFailed",
    "DouyinClient",
    "Exchange",
    "NotConfigured",
    "PagingError",
    "QuotaExhausted",
    "Resume",
    "pages",
]
