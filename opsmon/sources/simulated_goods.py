"""What the simulated shop sells and where it ships: invented goods, invented buyers. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One article: price in minor units of whatever currency the shop has, weight in grams."""

    id: int
    variant_id: int
    sku: str
    title: str
    variant: str | None
    price: int
    grams: int
    popularity: int


@dataclass(frozen=True, slots=True)
class Country:
    """Where a parcel goes. `rate` is what 100 units of the shop's money cost in the buyer's currency."""

    code: str
    name: str
    provinces: tuple[tuple[str, str], ...]
    currency: str | None = None
    rate: int = 100


def _products(*rows: tuple[str, str, str | None, int, int, int]) -> tuple[Product, ...]:
    return tuple(
        Product(7_310_400_000_000 + 11 * i, 41_820_600_000_000 + 17 * i, *row) for i, row in enumerate(rows)
    )


# Popularity falls off steeply, so that "top products" has a clear order.
PRODUCTS = _products(
    ("COF-HOUSE-1000", "House espresso", "1 kg", 2490, 1000, 30),
    ("COF-HOUSE-0250", "House espresso", "250 g", 790, 250, 24),
    ("COF-FILTER-0500", "Filter roast", "500 g", 1390, 500, 20),
    ("COF-DECAF-0500", "Decaf roast", "500 g", 1450, 500, 11),
    ("COF-GREEN-1000", "Green beans", "1 kg", 1890, 1000, 4),
    ("BRW-PRESS-08", "Travel press", "0.8 l", 3490, 620, 9),
    ("BRW-DRIPPER-02", "Camp dripper", None, 1990, 180, 10),
    ("BRW-FILTERS-100", "Paper filters", "100 pieces", 490, 160, 18),
    ("BRW-GRINDER-H", "Hand grinder", None, 7990, 540, 5),
    ("CUP-ENAMEL-BLU", "Enamel mug", "blue", 1290, 210, 14),
    ("CUP-ENAMEL-WHT", "Enamel mug", "white", 1290, 210, 12),
    ("CUP-FLASK-075", "Vacuum flask", "0.75 l", 2990, 430, 9),
    ("OUT-STOVE-G1", "Gas stove", None, 4490, 320, 6),
    ("OUT-TARP-3X3", "Tarp", "3 x 3 m", 6990, 840, 3),
    ("OUT-LAMP-400", "Camp lamp", "400 lm", 3990, 290, 5),
    ("OUT-ROPE-20", "Guy rope", "20 m", 990, 260, 7),
    ("OUT-PACK-22", "Day pack", "22 l", 8990, 780, 3),
    ("OUT-MAT-180", "Sleeping mat", "180 cm", 5490, 690, 3),
    ("OUT-KNIFE-08", "Folding knife", None, 2790, 95, 4),
    ("SET-STARTER", "Camp coffee set", None, 11990, 1900, 2),
)
POPULARITY = tuple(product.popularity for product in PRODUCTS)

COUNTRIES = {
    country.code: country
    for country in (
        Country("DE", "Germany", (("NW", "North Rhine-Westphalia"), ("BY", "Bavaria"), ("BE", "Berlin"),
                                  ("HH", "Hamburg"), ("SN", "Saxony"), ("HE", "Hesse"))),
        Country("AT", "Austria", (("W", "Vienna"), ("T", "Tyrol"), ("ST", "Styria"))),
        Country("NL", "Netherlands", (("NH", "North Holland"), ("UT", "Utrecht"))),
        Country("FR", "France", (("IDF", "Île-de-France"), ("ARA", "Auvergne-Rhône-Alpes"))),
        Country("IT", "Italy", (("MI", "Milan"), ("TO", "Turin"), ("RM", "Rome"))),
        Country("CH", "Switzerland", (("ZH", "Zurich"), ("BE", "Bern")), "CHF", 95),
        Country("GB", "United Kingdom", (("ENG", "England"), ("SCT", "Scotland")), "GBP", 86),
        Country("US", "United States", (("CA", "California"), ("NY", "New York"), ("CO", "Colorado"),
                                        ("WA", "Washington"), ("TX", "Texas")), "USD", 108),
        Country("BE", "Belgium", (("VLG", "Flanders"), ("WAL", "Wallonia"))),
        Country("DK", "Denmark", (("84", "Capital Region"),)),
        Country("SE", "Sweden", (("AB", "Stockholm"), ("O", "Västra Götaland"))),
        Country("NO", "Norway", (("03", "Oslo"),)),
        Country("FI", "Finland", (("18", "Uusimaa"),)),
        Country("PL", "Poland", (("14", "Mazovia"), ("12", "Lesser Poland"))),
        Country("CZ", "Czechia", (("10", "Prague"),)),
        Country("ES", "Spain", (("M", "Madrid"), ("CT", "Catalonia"))),
        Country("PT", "Portugal", (("11", "Lisbon"),)),
        Country("IE", "Ireland", (("L", "Leinster"),)),
        Country("LU", "Luxembourg", (("LU", "Luxembourg"),)),
        Country("MT", "Malta", (("60", "Valletta"),)),
        Country("SG", "Singapore", (("01", "Singapore"),)),
        Country("JP", "Japan", (("13", "Tokyo"),)),
        Country("AU", "Australia", (("NSW", "New South Wales"), ("VIC", "Victoria"))),
    )
}
# Neighbours often, the rest of the world now and then.
ABROAD = ("AT",) * 9 + ("NL",) * 7 + ("CH",) * 6 + ("FR",) * 6 + ("IT",) * 4 + ("GB",) * 4 + ("BE",) * 4 + (
    "US", "US", "DK", "DK", "DK", "SE", "SE", "PL", "PL", "PL", "CZ", "CZ", "ES", "ES", "ES", "NO", "FI", "PT", "IE",
    "LU", "MT", "SG", "JP", "AU")
