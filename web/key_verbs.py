"""`yuntu keys`: who may ask."""

import argparse
import datetime
import sys

from index.settings import Settings
from web.keys import Keys


def keys(args: argparse.Namespace, settings: Settings) -> None:
    """Makes, lists, rotates and revokes API keys. A key goes to stdout once; all else to stderr."""
    held = Keys(settings.keys)
    if args.action == "list":
        for key in held.all():
            until = f"  到 {_day(key.ends)} 为止 (old)" if key.ends else ""
            print(f"{key.name}  {key.scope}  {_day(key.made)}{until}")
        return
    if args.action == "revoke":
        held.revoke(args.name)
        print(f"{args.name}: 已作废 (revoked)")
        return
    if args.action == "add":
        secret = held.add(args.name, args.scope)
    else:
        secret = held.rotate(args.name, args.grace * 3600)
        print(f"旧钥匙再用 {args.grace:g} 小时 (the old one works for that long)", file=sys.stderr)
    print("只显示这一次,请存好 (shown only once)。用法: Authorization: Bearer …;网页登录时填作密码", file=sys.stderr)
    print(secret)


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")
