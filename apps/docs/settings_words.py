"""Words of the page of settings; the English descriptions are those of ``Settings``."""

from __future__ import annotations

TITLE = ("Configuration", "配置")
INTRO = (
    "Settings are environment variables. `.env` in the working directory is read too, by the commands and by the "
    "processes of Dagster; the environment counts before it. `.env.example` in the repository holds them all with "
    "their defaults and sets none. A name that begins with `DOUYIN_` and is no setting, a scope or table that does not "
    "exist, and a number out of its range are errors that name what was meant.",
    "配置项为环境变量；命令与 Dagster 的进程也会读取工作目录中的 `.env`，环境变量优先。代码库中的 `.env.example` "
    "列出了全部配置与默认值，但不设置任何一项。以 `DOUYIN_` 开头却不是配置项的名称、不存在的 scope 或表、"
    "超出范围的数值都会报错，并提示可能想写的名称。",
)
LINKS = (
    "[README](../README.md) · [中文](configuration.zh-CN.md)",
    "[README](../README.zh-CN.md) · [English](configuration.md)",
)
HEAD = (("variable", "type", "default", "meaning"), ("环境变量", "类型", "默认值", "含义"))
TYPES = {
    "int": ("integer", "整数"),
    "float": ("number", "数值"),
    "str": ("text", "文本"),
    "Path": ("path", "路径"),
    "date": ("date", "日期"),
    "SecretStr": ("secret", "密钥"),
    "list": ("JSON list", "JSON 数组"),
    "dict": ("JSON object", "JSON 对象"),
}
ZH = {
    "client_key": "控制台中的应用标识",
    "client_secret": "控制台中的应用密钥",
    "client_secret_old": "更换密钥期间，仍用于校验 Webhook 签名的旧密钥",
    "redirect_uri": "控制台登记的回调地址，`douyin authorize` 需要",
    "app_type": "应用类型（`business` 为经营授权小程序），决定数据走哪些接口",
    "apps": '其他应用：`[{"client_key": "…", "client_secret": "…", "type": "mini_app"}]`；'
    "还可写 `client_secret_old` 与 `redirect_uri`",
    "token_key": "令牌的加密密钥，由 `douyin accounts new-key` 生成；可写多个（新的在前），以逗号分隔",
    "home": "归档、数据湖、仓库、状态与 Dagster 所在目录，相对于工作目录",
    "base_url": "平台地址，或沙箱地址",
    "state_url": "状态库的 SQLAlchemy URL；默认为 `DOUYIN_HOME` 中的 SQLite",
    "start_date": "分区的第一天",
    "qps": "每个 scope 每秒请求数，`DOUYIN_LIMITS` 另有规定者除外",
    "per_day": "每个 scope 每个北京日的请求数，`DOUYIN_LIMITS` 另有规定者除外；默认不限",
    "limits": '个别 scope 的限额：`{"hotsearch": {"qps": 10, "per_day": 50000}}`',
    "concurrency": "同时进行的请求数",
    "per_account": "每个账号同时进行的请求数",
    "timeout_s": "单次响应的最长等待秒数",
    "answer_bytes": "单次响应解压后的最大字节数，超过则不再读取",
    "retry_base_s": "首次重试前的等待秒数，逐次加倍，最多 60 秒",
    "proxy": "全部请求使用的代理；默认使用 `HTTPS_PROXY` 等",
    "comment_reread_days": "发布不超过该天数的视频，评论每天完整读取",
    "keep_archive_days": "归档响应的保留天数；默认永久",
    "keep_lake_days": "数据湖分区的保留天数；默认永久",
    "keep": '单表的保留天数：`{"comments": {"archive_days": 90, "lake_days": 365}}`',
    "flush_s": "响应落盘前的最长等待秒数",
    "webhook_body_bytes": "更大的 Webhook 请求体会被拒绝",
    "webhook_connections": "Webhook 接收器同时保持的最多连接数",
    "project": "自有 `sql/marts`、`sql/audiences`、`campaigns` 与 `alerts.yaml` 所在的项目文件夹，"
    "由 `douyin init` 生成：其中的文件与自带文件并用，同名者取代自带文件",
    "campaigns_dir": "活动、标签与自动回复规则的文件夹，取代自带文件与项目中的文件",
    "audiences_dir": "人群 SQL 的文件夹，取代自带文件与项目中的文件",
    "needs_dir": "识别评论的规则与词表所在文件夹；默认为自带的 `needs/`",
    "alerts_file": "哪些问题发往哪里（参照 `alerts.example.yaml`）；默认为项目或代码库根目录的 `alerts.yaml`（如存在）",
    "dagster_stock": "直接使用 Dagster 自带实现的部分：`storage`、`jobs`；[代价](dagster.zh-CN.md)",
    "clock": "`system`，或某一时刻，如 `2026-11-16T10:30:00+08:00`，仅用于沙箱",
}
