"""Who may do what: one row for each route, one column for each kind of caller, kept by hand.

A route without a row fails the tests. Each cell is the status that caller gets with an empty form or body and a valid
session or key. So 422 means "you may, but say what", and a refusal must come before any look at the input. Ids in
addresses are those of Ada's things: for Bo, who owns another customer, they must look as if they did not exist (404).
"""

from __future__ import annotations

PAGE_CALLERS = ("nobody", "cy", "di", "ada", "bo", "support", "finance", "admin")
KEY_CALLERS = ("nobody", "reads", "writes", "bo", "host", "to_ada", "to_bo", "supp", "fin", "admin")

# 303 for nobody is the way to the sign-in page. Cy reads, Di writes and Ada owns the same customer. The callers come in
# this order, so what one of them does is done for the next: Cy leaves the team, Bo uses up the invitation.
PAGES = """
route                                                   nobody      cy      di     ada      bo support finance   admin
GET  /                                                     303     200     200     200     200     303     303     303
GET  /admin                                                303     403     403     403     403     200     200     200
GET  /admin/activity                                       303     403     403     403     403     200     200     200
GET  /admin/activity.csv                                   303     403     403     403     403     200     200     200
GET  /admin/adjustments                                    303     403     403     403     403     200     200     200
GET  /admin/adjustments.csv                                303     403     403     403     403     200     200     200
GET  /admin/adjustments/<adjustment_id>                    303     403     403     403     403     200     200     200
POST /admin/adjustments/<adjustment_id>/approve            303     403     403     403     403     403     303     409
POST /admin/adjustments/<adjustment_id>/deny               303     403     403     403     403     403     422     422
POST /admin/adjustments/<adjustment_id>/withdraw           303     403     403     403     403     403     403     403
POST /admin/activity/check                                 303     403     403     403     403     403     303     303
GET  /admin/books                                          303     403     403     403     403     200     200     200
GET  /admin/books/accounts                                 303     403     403     403     403     200     200     200
GET  /admin/books/accounts.csv                             303     403     403     403     403     200     200     200
GET  /admin/books/accounts/<asset>/<path:account>          303     403     403     403     403     200     200     200
GET  /admin/books/entries/<customer_id>/<entry_id>         303     403     403     403     403     200     200     200
GET  /admin/books/movements.csv                            303     403     403     403     403     200     200     200
POST /admin/books/audit                                    303     403     403     403     403     403     303     303
GET  /admin/catalogue                                      303     403     403     403     403     200     200     200
GET  /admin/catalogue.toml                                 303     403     403     403     403     200     200     200
GET  /admin/catalogue/file                                 303     403     403     403     403     200     200     200
POST /admin/catalogue/file                                 303     403     403     403     403     403     403     422
GET  /admin/check-in                                       303     403     403     403     403     200     200     200
POST /admin/check-in                                       303     403     403     403     403     403     403     422
POST /admin/check-in/cost                                  303     403     403     403     403     403     403     422
GET  /admin/balances                                       303     403     403     403     403     200     200     200
GET  /admin/balances.csv                                   303     403     403     403     403     200     200     200
GET  /admin/credit-transactions                            303     403     403     403     403     303     303     303
GET  /admin/coupons                                        303     403     403     403     403     200     200     200
GET  /admin/coupons.csv                                    303     403     403     403     403     200     200     200
POST /admin/coupons                                        303     403     403     403     403     403     403     422
GET  /admin/coupons/<coupon_id>                            303     403     403     403     403     200     200     200
POST /admin/coupons/<coupon_id>                            303     403     403     403     403     403     403     422
POST /admin/coupons/<coupon_id>/retire                     303     403     403     403     403     403     403     303
GET  /admin/coupons/new                                    303     403     403     403     403     403     403     200
GET  /admin/customers                                      303     403     403     403     403     200     200     200
GET  /admin/customers.csv                                  303     403     403     403     403     200     200     200
GET  /admin/customers/<customer_id>                        303     403     403     403     403     200     200     200
GET  /admin/customers/<customer_id>/adjust                 303     403     403     403     403     403     200     200
POST /admin/customers/<customer_id>/adjust                 303     403     403     403     403     403     422     422
GET  /admin/customers/<customer_id>/adjust/preview         303     403     403     403     403     403     200     200
GET  /admin/customers/<customer_id>/adjust-credits         303     403     403     403     403     403     200     200
POST /admin/customers/<customer_id>/adjust-credits         303     403     403     403     403     403     422     422
GET  /admin/customers/<customer_id>/adjust-credits/preview 303     403     403     403     403     403     200     200
GET  /admin/customers/<customer_id>/<any(orders,notices,members,keys,timeline):what> 303 403 403 403 403 200 200 200
GET  /admin/customers/<customer_id>/<any(orders,notices,members,keys,timeline):what>.csv 303 403 403 403 403 200 200 200
GET  /admin/customers/<customer_id>/freeze                 303     403     403     403     403     403     200     200
POST /admin/customers/<customer_id>/freeze                 303     403     403     403     403     403     422     422
POST /admin/customers/<customer_id>/thaw                   303     403     403     403     403     403     422     422
GET  /admin/customers/<customer_id>/latest                 303     403     403     403     403     200     200     200
GET  /admin/customers/<customer_id>/plan                   303     403     403     403     403     403     200     200
POST /admin/customers/<customer_id>/plan                   303     403     403     403     403     403     422     422
POST /admin/customers/<customer_id>/plan/cancel            303     403     403     403     403     403     422     422
POST /admin/customers/<customer_id>/plan/preview           303     403     403     403     403     403     422     422
GET  /admin/customers/<customer_id>/usage                  303     403     403     403     403     200     200     200
POST /admin/customers/<customer_id>/sign-in-as            303     403     403     403     403     303     303     303
POST /admin/looking/stop                                   303     403     403     403     403     303     303     303
GET  /admin/customers/<customer_id>/terms                  303     403     403     403     403     200     200     200
POST /admin/customers/<customer_id>/terms                  303     403     403     403     403     403     422     422
POST /admin/customers/<customer_id>/terms/end              303     403     403     403     403     403     422     422
GET  /admin/customers/<customer_id>/transactions           303     403     403     403     403     200     200     200
GET  /admin/<any(packs,meters,actions,services,'llm-prices'):plural>   303   403   403   403   403   200   200   200
GET  /admin/<any(packs,meters,actions,services,'llm-prices'):plural>.csv  303  403  403  403  403  200  200  200
GET  /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/<key>  303  403  403  403  403  200  200  200
POST /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/<key>  303  403  403  403  403  403  403  422
POST /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/<key>/changes 303 403 403 403 403 403 403 200
POST /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/<key>/offer  303  403  403  403  403  403  403  303
POST /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/<key>/retire 303 403 403 403 403 403 403 303
GET  /admin/<any(packs,meters,actions,services,'llm-prices'):plural>/new-one  303  403  403  403  403  403  403  200
GET  /admin/channels                                       303     403     403     403     403     200     200     200
GET  /admin/channels/refused.csv                           303     403     403     403     403     200     200     200
GET  /admin/disputes                                       303     403     403     403     403     200     200     200
GET  /admin/disputes.csv                                   303     403     403     403     403     200     200     200
GET  /admin/disputes/<dispute_id>                          303     403     403     403     403     200     200     200
POST /admin/disputes/<dispute_id>/outcome                  303     403     403     403     403     403     422     422
POST /admin/disputes/<dispute_id>/thaw                     303     403     403     403     403     403     422     422
GET  /admin/reconciliations                                303     403     403     403     403     200     200     200
GET  /admin/reconciliations.csv                            303     403     403     403     403     200     200     200
POST /admin/reconciliations                                303     403     403     403     403     403     303     303
GET  /admin/reconciliations/<run_id>                       303     403     403     403     403     200     200     200
GET  /admin/refunds                                        303     403     403     403     403     200     200     200
GET  /admin/refunds.csv                                    303     403     403     403     403     200     200     200
GET  /admin/refunds/<refund_id>                            303     403     403     403     403     200     200     200
POST /admin/refunds/<refund_id>/approve                    303     403     403     403     403     403     409     409
POST /admin/refunds/<refund_id>/deny                       303     403     403     403     403     403     422     422
GET  /admin/refunds/new                                    303     403     403     403     403     403     422     422
POST /admin/refunds/new                                    303     403     403     403     403     403     422     422
GET  /admin/invoices                                       303     403     403     403     403     200     200     200
GET  /admin/invoices.csv                                   303     403     403     403     403     200     200     200
GET  /admin/subscriptions                                  303     403     403     403     403     200     200     200
GET  /admin/subscriptions.csv                              303     403     403     403     403     200     200     200
GET  /admin/transactions                                   303     403     403     403     403     200     200     200
GET  /admin/transactions.csv                               303     403     403     403     403     200     200     200
GET  /admin/jobs                                           303     403     403     403     403     200     200     200
GET  /admin/jobs.csv                                       303     403     403     403     403     200     200     200
GET  /admin/outgoing                                       303     403     403     403     403     200     200     200
GET  /admin/outgoing.csv                                   303     403     403     403     403     200     200     200
GET  /admin/outgoing/<customer_id>/<delivery_id>           303     403     403     403     403     200     200     200
POST /admin/outgoing/<customer_id>/<delivery_id>/again     303     403     403     403     403     403     303     303
POST /admin/outgoing/endpoints                             303     403     403     403     403     403     403     422
GET  /admin/outgoing/endpoints/<endpoint_id>               303     403     403     403     403     200     200     200
POST /admin/outgoing/endpoints/<endpoint_id>               303     403     403     403     403     403     403     422
POST /admin/outgoing/endpoints/<endpoint_id>/off           303     403     403     403     403     403     403     303
POST /admin/outgoing/endpoints/<endpoint_id>/on            303     403     403     403     403     403     403     303
POST /admin/outgoing/endpoints/<endpoint_id>/remove        303     403     403     403     403     403     403     303
POST /admin/outgoing/endpoints/<endpoint_id>/secret        303     403     403     403     403     403     403     201
GET  /admin/outgoing/endpoints/new                         303     403     403     403     403     403     403     200
GET  /admin/plans                                          303     403     403     403     403     200     200     200
GET  /admin/plans.csv                                      303     403     403     403     403     200     200     200
GET  /admin/plans/<plan_id>                                303     403     403     403     403     200     200     200
POST /admin/plans/<plan_id>                                303     403     403     403     403     403     403     422
POST /admin/plans/<plan_id>/changes                        303     403     403     403     403     403     403     200
POST /admin/plans/<plan_id>/offer                          303     403     403     403     403     403     403     303
POST /admin/plans/<plan_id>/retire                         303     403     403     403     403     403     403     303
POST /admin/plans/<plan_id>/draft                          303     403     403     403     403     403     403     303
GET  /admin/plans/drafts/<draft_id>                        303     403     403     403     403     403     403     404
POST /admin/plans/drafts/<draft_id>/discard                303     403     403     403     403     403     403     404
POST /admin/plans/<plan_id>/preview                        303     403     403     403     403     403     403     422
GET  /admin/plans/<plan_id>/versions/<int:number>          303     403     403     403     403     200     200     200
GET  /admin/plans/<plan_id>/versions/<int:number>/customers 303    403     403     403     403     200     200     200
GET  /admin/plans/<plan_id>/versions/<int:number>/customers.csv 303 403    403     403     403     200     200     200
GET  /admin/plans/<plan_id>/moves/new                      303     403     403     403     403     403     403     200
POST /admin/plans/<plan_id>/moves                          303     403     403     403     403     403     403     422
GET  /admin/plans/<plan_id>/moves/<move_id>                303     403     403     403     403     200     200     200
GET  /admin/plans/<plan_id>/moves/<move_id>.csv            303     403     403     403     403     200     200     200
POST /admin/plans/<plan_id>/moves/<move_id>/stop           303     403     403     403     403     403     403     303
GET  /admin/plans/new                                      303     403     403     403     403     403     403     200
GET  /admin/settings                                       303     403     403     403     403     403     403     200
GET  /admin/staff                                          303     403     403     403     403     403     403     200
POST /admin/staff                                          303     403     403     403     403     403     403     422
GET  /admin/staff.csv                                      303     403     403     403     403     403     403     200
POST /admin/staff/<user_id>/end                            303     403     403     403     403     403     403     404
POST /admin/staff/<user_id>/reset-second-factor            303     403     403     403     403     403     403     404
POST /admin/staff/<user_id>/role                           303     403     403     403     403     403     403     422
GET  /admin/tax-rates                                      303     403     403     403     403     200     200     200
GET  /admin/tax-rates.csv                                  303     403     403     403     403     200     200     200
POST /admin/tax-rates                                      303     403     403     403     403     403     403     422
POST /admin/tax-rates/<rate_id>/end                        303     403     403     403     403     403     403     404
GET  /admin/webhooks                                       303     403     403     403     403     200     200     200
GET  /admin/webhooks.csv                                   303     403     403     403     403     200     200     200
GET  /admin/webhooks/<event_id>                            303     403     403     403     403     200     200     200
GET  /admin/webhooks/<event_id>/body                       303     403     403     403     403     200     200     200
POST /admin/webhooks/<event_id>/ignore                     303     403     403     403     403     403     422     422
POST /admin/webhooks/<event_id>/replay                     303     403     403     403     403     403     303     303
POST /admin/webhooks/replay-dead                           303     403     403     403     403     403     303     303
GET  /api-keys                                             303     200     200     200     200     403     403     403
POST /api-keys                                             303     403     422     422     422     403     403     403
POST /api-keys/<key_id>/revoke                             303     403     303     303     404     403     403     403
GET  /check-in                                             303     200     200     200     200     403     403     403
POST /check-in                                             303     403     409     409     409     403     403     403
GET  /check-in/calendar                                    303     200     200     200     200     403     403     403
POST /check-in/time-zone                                   303     403     422     422     422     403     403     403
GET  /credits/packs/<key>                                  303     200     200     200     200     403     403     403
POST /credits/packs/<key>                                  303     403     409     409     409     403     403     403
GET  /credits/packs/<key>/quote                            303     200     200     200     200     403     403     403
GET  /credits                                              303     200     200     200     200     403     403     403
GET  /credits/history.csv                                  303     200     200     200     200     403     403     403
POST /customer                                             303     404     404     404     404     404     404     404
GET  /invitations/<token>                                  200     200     200     200     200     200     200     200
POST /invitations/<token>                                  422     303     303     303     303     410     410     410
GET  /invoices                                             303     200     200     200     200     403     403     403
GET  /invoices.csv                                         303     200     200     200     200     403     403     403
GET  /invoices/<invoice_id>                                303     200     200     200     404     403     403     403
GET  /invoices/<invoice_id>.pdf                            303     200     200     200     404     403     403     403
GET  /invoices/<invoice_id>/credit-notes/<note_id>.pdf     303     200     200     200     404     403     403     403
GET  /invoices/buyer                                       303     200     200     200     200     403     403     403
POST /invoices/buyer                                       303     403     422     422     422     403     403     403
GET  /invoices/orders                                      303     200     200     200     200     403     403     403
GET  /invoices/orders.csv                                  303     200     200     200     200     403     403     403
GET  /invoices/orders/<order_id>                           303     200     200     200     404     403     403     403
GET  /invoices/orders/<order_id>/status                    303     200     200     200     404     403     403     403
GET  /notices                                              303     200     200     200     200     403     403     403
GET  /notices.csv                                          303     200     200     200     200     403     403     403
POST /notices/<notice_id>/read                             303     303     303     303     404     403     403     403
POST /notices/choices                                      303     403     303     303     303     403     403     403
POST /notices/read                                         303     303     303     303     303     403     403     403
GET  /payment-methods                                      303     200     200     200     200     403     403     403
POST /payment-methods                                      303     403     404     404     404     403     403     403
POST /payment-methods/<card_id>/default                    303     403     404     404     404     403     403     403
POST /payment-methods/<card_id>/remove                     303     403     404     404     404     403     403     403
GET  /payment-methods/pages/<page_id>                      303     200     200     200     404     403     403     403
GET  /payment-methods/pages/<page_id>/status               303     200     200     200     404     403     403     403
POST /payment-methods/portal                               303     403     404     404     404     403     403     403
GET  /plan                                                 303     200     200     200     200     403     403     403
GET  /plan/cancel                                          303     403     303     303     303     403     403     403
POST /plan/cancel                                          303     403     422     422     422     403     403     403
GET  /plan/change                                          303     403     303     303     303     403     403     403
POST /plan/change                                          303     403     422     422     422     403     403     403
GET  /plan/orders/<purchase_id>                            303     200     200     200     404     403     403     403
GET  /plan/orders/<purchase_id>/status                     303     200     200     200     404     403     403     403
POST /plan/pay-by                                          303     403     422     422     422     403     403     403
POST /plan/resume                                          303     403     404     404     404     403     403     403
POST /plan/retry                                           303     403     303     303     303     403     403     403
POST /plan/undo                                             303     403     404     404     404     403     403     403
GET  /profile                                              303     200     200     200     200     200     200     200
POST /profile                                              303     422     422     422     422     422     422     422
POST /profile/email                                        303     422     422     422     422     422     422     422
POST /profile/password                                     303     422     422     422     422     422     422     422
GET  /profile/second-factor                                303     200     200     200     200     200     200     200
POST /profile/second-factor                                303     422     422     422     422     422     422     422
POST /profile/second-factor/begin                          303     422     422     422     422     422     422     422
POST /profile/second-factor/codes                          303     422     422     422     422     422     422     422
POST /profile/second-factor/off                            303     422     422     422     422     422     422     422
POST /profile/sessions/<session_id>/end                    303     404     404     404     404     404     404     404
POST /profile/sessions/end-others                          303     303     303     303     303     303     303     303
GET  /team                                                 303     200     200     200     200     403     403     403
POST /team/invitations                                     303     403     403     422     422     403     403     403
POST /team/invitations/<invitation_id>/withdraw            303     403     403     303     404     403     403     403
POST /team/members/<user_id>                               303     403     403     422     404     403     403     403
POST /team/members/<user_id>/remove                        303     303     403     404     404     403     403     403
GET  /usage                                                303     200     200     200     200     403     403     403
GET  /usage.csv                                            303     200     200     200     200     403     403     403
GET  /usage/days                                           303     200     200     200     200     403     403     403
GET  /usage/models                                         303     200     200     200     200     403     403     403
GET  /usage/models.csv                                     303     200     200     200     200     403     403     403
POST /usage/spend-cap                                      303     403     303     303     303     403     403     403
POST /usage/thresholds                                     303     403     303     303     303     403     403     403
POST /verify-email                                         303     303     303     303     303     303     303     303
GET  /wallet                                               303     200     200     200     200     403     403     403
GET  /wallet/auto-top-up                                   303     200     200     200     200     403     403     403
POST /wallet/auto-top-up                                   303     403     422     422     422     403     403     403
POST /wallet/auto-top-up/off                               303     403     303     303     303     403     403     403
GET  /wallet/balance                                       303     200     200     200     200     403     403     403
GET  /wallet/balance-refund                                303     403     200     200     200     403     403     403
POST /wallet/balance-refund                                303     403     422     422     422     403     403     403
POST /wallet/balance-refund/withdraw                       303     403     303     303     303     403     403     403
GET  /wallet/refunds/<entry_id>                            303     403     422     422     404     403     403     403
POST /wallet/refunds/<entry_id>                            303     403     422     422     404     403     403     403
GET  /wallet/quote                                         303     200     200     200     200     403     403     403
GET  /wallet/statements                                    303     200     200     200     200     403     403     403
GET  /wallet/statements/<month>                            303     200     200     200     200     403     403     403
GET  /wallet/statements/<month>.csv                        303     200     200     200     200     403     403     403
GET  /wallet/statements/<month>.pdf                        303     200     200     200     200     403     403     403
POST /wallet/topups                                        303     403     422     422     422     403     403     403
GET  /wallet/topups/<order_id>                             303     200     200     200     404     403     403     403
GET  /wallet/topups/<order_id>/status                      303     200     200     200     404     403     403     403
GET  /wallet/transactions                                  303     200     200     200     200     403     403     403
GET  /wallet/transactions.csv                              303     200     200     200     200     403     403     403
"""

# needs: the one permission or scope that opens the call. nobody: no key, a wrong one, a revoked one of each kind, one
# whose maker was disabled, and everybody who is merely signed in. reads and writes: Ada's keys; bo: Bo's. host: the
# host product's key without naming a customer; to_ada and to_bo: the same naming one. supp, fin, admin: keys of the
# back office. A service key with the one scope it needs gets what to_ada gets, one with any other scope 403.
CALLS = """
route                                     needs           nobody reads writes  bo host to_ada to_bo supp fin admin
GET  /admin/billing/coupons               staff:read         401   403    403 403  403    403   403  200 200   200
POST /admin/billing/coupons               staff:admin        401   403    403 403  403    403   403  403 403   422
GET  /admin/billing/plans                 staff:read         401   403    403 403  403    403   403  200 200   200
POST /admin/billing/plans                 staff:admin        401   403    403 403  403    403   403  403 403   422
PUT  /admin/billing/plans/<plan_id>       staff:admin        401   403    403 403  403    403   403  403 403   422
GET  /admin/checkin/config                staff:read         401   403    403 403  403    403   403  200 200   200
PUT  /admin/checkin/config                staff:admin        401   403    403 403  403    403   403  403 403   422
POST /checkin                             billing:write      401   403    409 409  422    409   409  403 403   403
POST /api/llm/proxy                       llm:use            401   403    422 422  422    422   422  403 403   403
POST /api/wallet/topup                    billing:write      401   403    422 422  422    422   422  403 403   403
GET  /subscription/plans                  billing:read       401   200    200 200  200    200   200  403 403   403
GET  /v1/billing                          billing:read       401   200    200 200  422    200   200  403 403   403
GET  /v1/billing/balance-refund           billing:read       401   200    200 200  422    200   200  403 403   403
POST /v1/billing/balance-refund           billing:write      401   403    409 409  422    409   409  403 403   403
DELETE /v1/billing/balance-refund         billing:write      401   403    200 409  422    409   409  403 403   403
POST /v1/billing/cancel                   billing:write      401   403    404 404  422    404   404  403 403   403
POST /v1/billing/cancel-subscription      billing:write      401   403    404 404  422    404   404  403 403   403
POST /v1/billing/change-payment-method    billing:write      401   403    422 422  422    422   422  403 403   403
POST /v1/billing/change-plan              billing:write      401   403    422 422  422    422   422  403 403   403
DELETE /v1/billing/change-plan            billing:write      401   403    404 404  422    404   404  403 403   403
GET  /v1/billing/change-plan/preview      billing:read       401   422    422 422  422    422   422  403 403   403
POST /v1/billing/checkout                 billing:write      401   403    422 422  422    422   422  403 403   403
POST /v1/billing/payment-method           billing:write      401   403    422 422  422    422   422  403 403   403
DELETE /v1/billing/payment-method         billing:write      401   403    422 422  422    422   422  403 403   403
POST /v1/billing/portal                   billing:write      401   403    422 422  422    422   422  403 403   403
POST /v1/billing/resume                   billing:write      401   403    404 404  422    404   404  403 403   403
POST /v1/billing/retry-payment            billing:write      401   403    200 200  422    200   200  403 403   403
POST /v1/billing/setup-intent             billing:write      401   403    422 422  422    422   422  403 403   403
POST /v1/billing/subscribe                billing:write      401   403    422 422  422    422   422  403 403   403
GET  /orders                              billing:read       401   200    200 200  422    200   200  403 403   403
GET  /orders/<order_id>                   billing:read       401   200    200 404  422    200   404  403 403   403
POST /payment/create-session              billing:write      401   403    422 422  422    422   422  403 403   403
POST /subscription/portal                 billing:write      401   403    422 422  422    422   422  403 403   403
GET  /v1/billing/balance                  billing:read       401   200    200 200  422    200   200  403 403   403
GET  /v1/billing/invoices                 billing:read       401   200    200 200  422    200   200  403 403   403
GET  /v1/billing/invoices/<invoice_id>    billing:read       401   200    200 404  422    200   404  403 403   403
POST /v1/billing/refund/<txn_id>          billing:write      401   403    422 404  422    422   404  403 403   403
POST /v1/billing/topup                    billing:write      401   403    422 422  422    422   422  403 403   403
GET  /v1/billing/transactions             billing:read       401   200    200 200  422    200   200  403 403   403
POST /v1/charges                          charges:write      401   403    403 403  422    422   422  403 403   403
POST /v1/customers                        customers:write    401   403    403 403  422    422   422  403 403   403
GET  /v1/customers/<customer_id>          billing:read       401   403    403 403  200    200   200  403 403   403
POST /v1/portal-sessions                  portal:write       401   403    403 403  422    422   422  403 403   403
GET  /v1/webhook-deliveries               billing:read       401   403    403 403  200    200   200  403 403   403
GET  /v1/webhook-deliveries/<delivery_id> billing:read       401   403    403 403  200    200   200  403 403   403
POST /v1/webhook-deliveries/<delivery_id>/resend webhooks:write 401 403   403 403  200    200   200  403 403   403
GET  /admin/credits/transactions          staff:read         401   403    403 403  403    403   403  200 200   200
POST /admin/credits/manual                staff:money        401   403    403 403  403    403   403  403 422   422
GET  /credits/balance                     billing:read       401   200    200 200  422    200   200  403 403   403
GET  /credits/transactions                billing:read       401   200    200 200  422    200   200  403 403   403
POST /v1/credits/quote                    billing:read       401   422    422 422  422    422   422  403 403   403
POST /v1/credits/spend                    credits:write      401   403    403 403  422    422   422  403 403   403
POST /v1/wallet/debits                    wallet:write       401   403    403 403  422    422   422  403 403   403
GET  /v1/entitlements                     billing:read       401   200    200 200  422    200   200  403 403   403
POST /v1/usage                            usage:write        401   403    403 403  422    422   422  403 403   403
POST /v1/entitlements/check               billing:read       401   422    422 422  422    422   422  403 403   403
POST /v1/resources/<kind>                 resources:write    401   403    403 403  422    422   422  403 403   403
DELETE /v1/resources/<kind>/<resource_id> resources:write    401   403    403 403  422    404   404  403 403   403
POST /v1/wallet/holds                     wallet:write       401   403    403 403  422    422   422  403 403   403
GET  /v1/wallet/holds/<hold_id>           billing:read       401   200    200 404  422    200   404  403 403   403
POST /v1/wallet/holds/<hold_id>/release   wallet:write       401   403    403 403  422    200   404  403 403   403
POST /v1/wallet/holds/<hold_id>/settle    wallet:write       401   403    403 403  422    422   422  403 403   403
"""

# Open to everyone: nothing in them belongs to a customer, or the address itself is the secret.
PUBLIC = """
route                                                   anyone
GET  /docs/api                                             200
GET  /forgot-password                                      200
POST /forgot-password                                      422
GET  /gallery                                              200
GET  /gallery/<name>                                       404
GET  /healthz                                              200
GET  /openapi.json                                         200
POST /payment/webhook/<channel>                            400
GET  /portal/<token>                                       410
GET  /pricing                                              200
GET  /pricing.md                                           200
GET  /readyz                                               200
GET  /reset-password/<token>                               410
POST /reset-password/<token>                               422
GET  /sign-in                                              200
POST /sign-in                                              422
GET  /sign-in/code                                         303
POST /sign-in/code                                         303
POST /sign-out                                             303
GET  /sign-up                                              200
POST /sign-up                                              422
GET  /verify-email/<token>                                 410
POST /verify-email/<token>                                 410
"""


def rows(table: str) -> dict[str, tuple[int, ...]]:
    """The table as data: "GET /wallet" to the statuses in its columns' order."""
    found = {}
    for line in table.strip().splitlines()[1:]:
        verb, path, *cells = line.split()
        assert f"{verb} {path}" not in found, f"{verb} {path} has two rows"
        found[f"{verb} {path}"] = tuple(int(cell) for cell in cells if cell.isdigit())
    return found


def needs() -> dict[str, str]:
    """What opens each call: "GET /v1/billing" to "billing:read"."""
    return {f"{verb} {path}": need for verb, path, need, *_ in map(str.split, CALLS.strip().splitlines()[1:])}
