"""Money on the wire: string amounts beside a code, never a float."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from server.sandbox.freshbooks.switches import FreshbooksSwitches

#: ISO 4217: currencies without minor digits, with three, and the others.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN
BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS
TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"""

NO_MINOR_UNITS = frozenset(_NONE.split())
THREE_DIGITS = frozenset(_THREE.split())
CURRENCIES = NO_MINOR_UNITS | THREE_DIGITS | frozenset(_TWO.split())


def places(code: str, switches: FreshbooksSwitches) -> int:
    """To how many decimals amounts of this currency are rounded."""
    if code in NO_MINOR_UNITS:
        return 2 if switches.yen == "hundredths" else 0
    if code in THREE_DIGITS:
        return 3 if switches.third_decimal == "kept" else 2
    return 2


def rounded(amount: Decimal, code: str, switches: FreshbooksSwitches) -> Decimal:
    """By the switches' half rule, to the currency's places."""
    half = ROUND_HALF_EVEN if switches.rounding_half == "even" else ROUND_HALF_UP
    return amount.quantize(Decimal(1).scaleb(-places(code, switches)), rounding=half)


def printed(amount: Decimal, code: str, switches: FreshbooksSwitches) -> dict[str, str]:
    """The Money object of a reply."""
    digits = places(code, switches)
    if code in NO_MINOR_UNITS and switches.yen == "1200.00":
        digits = 2
    value = amount.quantize(Decimal(1).scaleb(-digits))
    return {"amount": f"{value:f}", "code": code}


def plain(number: Decimal) -> str:
    """A quantity or percent as FreshBooks prints it: "4", "2.5", "13"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_of(value: Any) -> Decimal | None:
    """A JSON number or numeric string as a finite Decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 15 else None
