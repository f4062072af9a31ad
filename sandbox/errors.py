"""Define refusals: the platform's codes with their texts."""

from __future__ import annotations

from catalog.errors import ERRORS

TOKEN_INVALID, TOKEN_INVALID_LEGACY = 28001003, 2190002
TOKEN_EXPIRED, TOKEN_EXPIRED_LEGACY = 28001008, 2190008
WRONG_OPEN_ID = 28001015
NOT_GRANTED = 28001012
NO_CAPABILITY = 28001018
PARAM_MISSING, PARAM_WRONG = 28001007, 2100005
NOT_BOUND, NO_PERMISSION = 2100006, 2100007
UNKNOWN_PATH = 28001017
TOO_FREQUENT, QUOTA_USED_UP = 28003018, 28003017
BUSY = 28001005
OFFLINE = 28001056
PRIVATE, ACCOUNT_GONE, RISK_CONTROL = 28001047, 28001045, 28001052
SENSITIVE_WORD = 2111001
BAD_MESSAGE, WINDOW_USED, WINDOW_OVER, WRONG_PEER, NOT_ALLOWED, WRONG_SCENE = (
    28001038,
    28003080,
    28003081,
    28003082,
    28003095,
    28004020,
)
INVALID_COMMENT, FOREIGN_COMMENT, NO_ENTERPRISE = 2111003, 2111004, 2112001

CODE_DEAD, REFRESH_DEAD, LIMIT_REACHED = 10007, 10010, 10020
OAUTH_PARAM, OAUTH_KEY, OAUTH_SECRET = 10002, 10003, 10013
OAUTH_REDIRECT, OAUTH_GRANT = 10006, 10011

_CHINESE = {
    TOKEN_INVALID: "access_token无效",
    TOKEN_EXPIRED: "access_token过期",
    NOT_GRANTED: "用户未授权该API",
    NO_CAPABILITY: "应用未获得该能力",
    WRONG_OPEN_ID: "access_token与open_id不匹配",
    TOO_FREQUENT: "请求太频繁，请稍后重试",
    QUOTA_USED_UP: "quota已用完",
    OFFLINE: "该能力API已下线，不再支持调用",
    PRIVATE: "账号或内容已设为私密",
    ACCOUNT_GONE: "用户已注销",
    RISK_CONTROL: "触发风控，请稍后重试",
    BUSY: "系统繁忙，请稍后重试",
}


class Refusal(Exception):
    """A refusal of the platform: HTTP 200 with ``code``, an integer other than 0, and a text."""

    def __init__(self, code: int, description: str | None = None) -> None:
        if description is None:
            description = _CHINESE.get(code) or (ERRORS[code].meaning if code in ERRORS else "unknown error")
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
