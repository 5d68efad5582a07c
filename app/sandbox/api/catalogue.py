"""/v1/products and /v1/prices."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, free_id, honours, merged_metadata, unset
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.fault import not_built, refused
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_PRODUCT = (
    "name",
    "description",
    "active",
    "metadata",
    "images",
    "tax_code",
    "unit_label",
    "url",
    "shippable",
    "statement_descriptor",
)
_PRICE = ("active", "lookup_key", "metadata", "nickname", "tax_behavior", "transfer_lookup_key")


def make_product(tx: Tx, data: Object, *, quiet: bool = False) -> Object:
    """A product; `quiet` for one that a checkout session writes on the spot."""
    product = tx.new("product", updated=tx.now, **{name: data[name] for name in ("id", *_PRODUCT) if name in data})
    if not quiet:
        emit(tx, "product.created", product)
    return product


def make_price(tx: Tx, data: Object, product: str, *, active: bool = True, quiet: bool = False) -> Object:
    """A price per unit in minor units, once or recurring."""
    recurring = data.get("recurring")
    resting = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
    price = tx.new(
        "price",
        active=active,
        currency=data["currency"].lower(),
        product=product,
        recurring={**resting, **recurring} if recurring else None,
        type="recurring" if recurring else "one_time",
        unit_amount=data["unit_amount"],
        unit_amount_decimal=str(data["unit_amount"]),
        **{name: data[name] for name in ("lookup_key", "metadata", "nickname", "tax_behavior") if name in data},
    )
    if not quiet:
        emit(tx, "price.created", price)
    return price


@honours(*_PRODUCT, "id", "default_price_data")
def create_product(call: Call) -> Object:
    """POST /v1/products. Whoever asks may choose the id."""
    free_id(call, "Product")
    product = make_product(call.tx, call.params)
    data = call.params.get("default_price_data")
    if data:
        if "unit_amount" not in data:
            raise not_built("A default price without unit_amount")
        call.tx.change(product, default_price=make_price(call.tx, data, product["id"])["id"])
    return product


@honours()
def retrieve_product(call: Call) -> Object:
    """GET /v1/products/{id}."""
    return call.tx.get("product", call.ids["id"])


@honours(*paging("active", "created", "ids"))
def list_products(call: Call) -> Object:
    """GET /v1/products."""
    return listing(call, "product", "/v1/products", active=call.params.get("active"), id=call.params.get("ids"))


@honours(*_PRICE, "currency", "product", "product_data", "unit_amount", "recurring", "billing_scheme")
def create_price(call: Call) -> Object:
    """POST /v1/prices."""
    params = call.params
    if "unit_amount" not in params:
        raise not_built("A price without unit_amount")
    if params.get("billing_scheme", "per_unit") != "per_unit":
        raise not_built("A tiered price")
    if ("product" in params) == ("product_data" in params):
        raise refused("You must specify either `product` or `product_data`.", code="parameter_missing", param="product")
    if key := params.get("lookup_key"):
        _free_lookup_key(call, key)
    product = (
        call.tx.get("product", params["product"], "product")
        if "product" in params
        else make_product(call.tx, params["product_data"])
    )
    return make_price(call.tx, params, product["id"], active=params.get("active", True))


@honours()
def retrieve_price(call: Call) -> Object:
    """GET /v1/prices/{price}."""
    return call.tx.get("price", call.ids["price"])


@honours("active", "lookup_key", "metadata", "nickname", "tax_behavior", "transfer_lookup_key")
def update_price(call: Call) -> Object:
    """POST /v1/prices/{price}. What it costs can never be changed."""
    price = call.tx.get("price", call.ids["price"])
    if (key := call.params.get("lookup_key")) and key != price["lookup_key"]:
        _free_lookup_key(call, key)
    fields = {name: unset(value) for name, value in call.given("active", "lookup_key", "nickname").items()}
    fields.update(call.given("tax_behavior"))
    if "metadata" in call.params:
        fields["metadata"] = merged_metadata(price["metadata"], call.params["metadata"])
    if before := call.tx.change(price, **fields):
        emit(call.tx, "price.updated", price, before)
    return price


@honours(*_PRODUCT)
def update_product(call: Call) -> Object:
    """POST /v1/products/{id}."""
    product = call.tx.get("product", call.ids["id"])
    fields = {name: unset(value) for name, value in call.given(*_PRODUCT).items()}
    if "metadata" in call.params:
        fields["metadata"] = merged_metadata(product["metadata"], call.params["metadata"])
    if before := call.tx.change(product, **fields):
        emit(call.tx, "product.updated", product, before)
    return product


@honours(*paging("active", "created", "currency", "lookup_keys", "product", "type"))
def list_prices(call: Call) -> Object:
    """GET /v1/prices."""
    filters = call.given("active", "currency", "product", "type")
    return listing(call, "price", "/v1/prices", lookup_key=call.params.get("lookup_keys"), **filters)


def _free_lookup_key(call: Call, key: str) -> None:
    for holder in call.tx.every("price", lookup_key=key):
        if not call.params.get("transfer_lookup_key"):
            raise refused(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        call.tx.change(holder, lookup_key=None)


ENDPOINTS: Endpoints = {
    ("post", "/v1/products"): create_product,
    ("get", "/v1/products"): list_products,
    ("get", "/v1/products/{id}"): retrieve_product,
    ("post", "/v1/products/{id}"): update_product,
    ("post", "/v1/prices"): create_price,
    ("get", "/v1/prices"): list_prices,
    ("get", "/v1/prices/{price}"): retrieve_price,
    ("post", "/v1/prices/{price}"): update_price,
}
