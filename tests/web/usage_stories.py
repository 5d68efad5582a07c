"""A catalogue with a meter of each kind: paid from the wallet, on the invoice, stopping, and without a limit."""

METERS = """
[meters.calls]
name = "API calls"
unit = "call"
overage = "wallet"
overage_price = "0.0004"

[meters.runs]
name = "Agent runs"
unit = "run"
overage = "invoice"
overage_price = "0.05"

[meters.jobs]
name = "Jobs"
unit = "job"
overage = "block"

[meters.views]
name = "Views"
unit = "view"
overage = "wallet"
overage_price = "0.01"

[actions.draw]
name = "Draw a picture"
credits = 7

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
counts = { team_members = 5, stores = 2 }
[plans.free.allowances]
calls = 1_000
runs = 100
jobs = 10
views = "unlimited"

[plans.growth]
rank = 1
name = "Growth"
monthly = "29.00"
counts = { team_members = 25, stores = "unlimited" }
[plans.growth.allowances]
calls = 100_000
runs = 2_500
jobs = 250
views = "unlimited"
"""
