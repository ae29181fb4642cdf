"""Fields and sublists that several record types share (reference section 4)."""

from __future__ import annotations

from erp_twins.netsuite.schema import Field, Sublist, fields

COMMON = fields("id! externalId refName!", datetime="lastModifiedDate!", ref={"customForm": "customForm"})
ADDRESS = fields(
    "addressee attention addr1 addr2 addr3 city state zip addrPhone addrText!",
    boolean="override",
    enum={"country": "country"},
)
DIMENSIONS = {
    "subsidiary@one_world": "subsidiary",
    "location@locations": "location",
    "department@departments": "department",
    "class@classes": "classification",
}
PRICE = Sublist(
    "price",
    fields(
        number="price",
        ref={"currencyPage": "currency", "priceLevel": "priceLevel"},
        subrecord="quantity",
    ),
    ("currencyPage", "priceLevel", "quantity"),
)


SALE = fields(
    "tranId otherRefNum memo email message status! source! billAddress! shipAddress!",
    boolean="toBeEmailed taxDetailsOverride@suite_tax isTaxable@legacy_tax shipComplete",
    number="exchangeRate shippingCost handlingCost discountTotal! subtotal! taxTotal! total! totalAfterTaxes! taxRate@legacy_tax",
    date="tranDate dueDate shipDate startDate endDate",
    datetime="createdDate!",
    ref={
        **DIMENSIONS,
        "entity": "customer",
        "currency@multicurrency": "currency",
        "terms": "term",
        "shipMethod": "shipItem",
        "shippingTaxCode@legacy_tax": "taxcode",
        "taxItem@legacy_tax": "taxcode",
        "discountItem": "discountItem",
        "billAddressList": "address",
        "shipAddressList": "address",
        "createdFrom!": "transaction",
    },
    subrecord="billingAddress shippingAddress",
    sublists="item taxDetails@suite_tax",
) | {"discountRate": Field("discountRate", "rate")}
_SALE_LINE = fields(
    "description taxDetailsReference@suite_tax itemType! itemSubtype!",
    integer="line lineUniqueKey! orderLine",
    number="quantity amount grossAmt! taxAmount! tax1Amt@legacy_tax taxRate1@legacy_tax quantityFulfilled! quantityBilled!",
    boolean="isTaxable isClosed isOpen!",
    date="expectedShipDate",
    ref={
        "item": "item",
        "price": "priceLevel",
        "taxCode@legacy_tax": "taxcode",
        "location@locations": "location",
        "department@departments": "department",
        "class@classes": "classification",
        "orderDoc": "salesOrder",
    },
) | {"rate": Field("rate", "rate")}
LINES = {
    "item": Sublist("item", _SALE_LINE, ("line",)),
    "taxDetails": Sublist(
        "taxDetails",
        fields(
            "taxDetailsReference",
            number="taxBasis taxRate taxAmount",
            ref={"taxCode": "taxcode", "taxType": "taxType"},
        ),
        ("taxDetailsReference", "taxCode"),
    ),
}
APPLY = Sublist(
    "apply",
    fields(
        "refNum! type!",
        integer="line",
        boolean="apply",
        number="amount due! total!",
        date="applyDate!",
        ref={"doc": "invoice", "currency!": "currency"},
    ),
    ("doc",),
)
