"""Amounts: decimals with the currency's minor unit, rounded half up. Never floats."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from erp_pipelines.domain.errors import RecordInvalid

# ISO 4217 codes in use. The minor unit is 2 unless the code stands in one of the tables below.
_CODES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
    TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)
_WHOLE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_TEN_THOUSANDTHS = frozenset("CLF UYW".split())


def check_currency(code: str) -> str:
    """The code itself, or RecordInvalid if it is no ISO 4217 code in capitals."""
    if code not in _CODES:
        raise RecordInvalid(f"{code!r} is no currency.", field="currency", mend="Use an ISO 4217 code such as USD.")
    return code


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for USD, 1 for JPY, 0.001 for KWD."""
    check_currency(currency)
    if currency in _WHOLE:
        return Decimal(1)
    if currency in _THOUSANDTHS:
        return Decimal("0.001")
    return Decimal("0.0001") if currency in _TEN_THOUSANDTHS else Decimal("0.01")


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Rounded half up (away from zero on a tie) to the currency's minor unit."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def check_minor_unit(amount: Decimal, currency: str, field: str) -> Decimal:
    """The amount with the currency's decimals; RecordInvalid if it has more digits than the currency knows."""
    rounded = round_money(amount, currency)
    if rounded != amount:
        raise RecordInvalid(
            f"{field} is {amount}, but {currency} has no unit below {minor_unit(currency)}.", field=field
        )
    return rounded


def apportion(amount: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """The amount in shares by weight, each in whole minor units, that add up to exactly the amount.

    What rounding leaves over goes, unit by unit, to the shares that were cut most. Where the weights come to nothing,
    the first takes it all; no weights give no shares.
    """
    whole, unit = sum(weights, Decimal(0)), minor_unit(currency)
    if not whole:
        return (amount, *(Decimal(0) for _ in weights[1:]))[: len(weights)]
    exact = [amount * weight / whole for weight in weights]
    shares = [share.quantize(unit, rounding=ROUND_FLOOR) for share in exact]
    left_over = int((amount - sum(shares, Decimal(0))) / unit)
    most_cut = sorted(range(len(weights)), key=lambda place: shares[place] - exact[place])
    for place in most_cut[:left_over]:
        shares[place] += unit
    return tuple(shares)
