"""Quarterly reports of one company: many pages each, the same words in all, other figures and one other quarter.

Which quarter a report is about stands in its file's name as a number, and on its first page in words; its other
pages say "the quarter". So a page is told from its siblings by its document alone.
"""

import random

from bench.retrieving.kinds import Set, Source, Wanted
from pipelines.ingest.elements import Element, Extraction, Kind

COMPANY = "Northwind Turbines"
QUARTERS = ("first", "second", "third", "fourth")
ENDS = ("March 31", "June 30", "September 30", "December 31")

REGIONS = ("Europe", "North America", "Asia Pacific", "Latin America")
LINES = ("offshore turbines", "onshore turbines", "spare parts", "maintenance contracts")

Page = tuple[str, str, str, str]
"""Heading, text, the words of the answer, the question's words."""


def make(years: tuple[int, ...] = (2021, 2022, 2023)) -> Set:
    """Return reports of all quarters of these years, and four questions about pages of each."""
    chosen = random.Random(5)
    sources, questions = [], []
    for year in years:
        for number, quarter in enumerate(QUARTERS):
            name = f"northwind-10q-{year}-q{number + 1}.pdf"
            pages = _pages(chosen)
            sources.append(Source(name, _report(pages, year, quarter, ENDS[number])))
            for place in chosen.sample(range(len(pages)), 4):
                _, _, answer, asked = pages[place]
                when = chosen.choice((f"the {quarter} quarter of {year}", f"Q{number + 1} {year}"))
                questions.append(Wanted(f"{asked} in {when}?", name, page=place + 2, words=answer))
    return Set("quarterly reports", sources, questions)


def _report(pages: list[Page], year: int, quarter: str, end: str) -> Extraction:
    cover = (
        f"{COMPANY} Inc. Quarterly report on form 10-Q for the {quarter} quarter of {year}, the quarterly period ended"
        f" {end}, {year}. The registrant has filed all reports required to be filed during the preceding twelve months."
    )
    elements = [Element(f"{COMPANY} Quarterly Report", Kind.TITLE, page=1, level=1), Element(cover, page=1)]
    for number, (heading, text, _, _) in enumerate(pages, start=2):
        elements += [Element(heading, Kind.TITLE, page=number, level=2), Element(text, page=number)]
    return Extraction(tuple(elements), f"{COMPANY} Quarterly Report", len(pages) + 1)


def _pages(chosen: random.Random) -> list[Page]:
    pages: list[Page] = []
    for region in REGIONS:
        money = f"${chosen.randrange(100, 900)}.{chosen.randrange(10)} million"
        pages.append(
            (
                f"Net sales in {region}",
                f"Net sales in {region} were {money} in the quarter. The change reflects volumes, prices and the"
                " translation of foreign currencies. Customers in the region continued to order for delivery within"
                " eighteen months, and cancellations were not significant.",
                money,
                f"What were net sales in {region}",
            )
        )
    for line in LINES:
        share = f"{chosen.randrange(10, 60)}.{chosen.randrange(10)} percent"
        pages.append(
            (
                f"Gross margin of {line}",
                f"The gross margin of {line} was {share} in the quarter. Material costs, the mix of products and the"
                " use of our plants explain most of the change from the quarter before.",
                share,
                f"How high was the gross margin of {line}",
            )
        )
    people, cases, rate = chosen.randrange(4000, 9000), chosen.randrange(3, 60), f"{chosen.randrange(15, 30)}.5 percent"
    debt, site = f"${chosen.randrange(200, 990)} million", chosen.choice(("Aarhus", "Bilbao", "Gdansk", "Porto"))
    pages += [
        (
            "Employees",
            f"At the end of the quarter we employed {people} people, most of them in production and service. None of"
            " our plants had a work stoppage in the quarter, and we consider relations with employees good.",
            str(people),
            "How many people were employed",
        ),
        (
            "Legal proceedings",
            f"We were party to {cases} lawsuits at the end of the quarter, chiefly about warranties and deliveries."
            " We do not expect that their outcome is material to our financial position.",
            f"{cases} lawsuits",
            "How many lawsuits was the company party to",
        ),
        (
            "Income taxes",
            f"Our effective tax rate was {rate} in the quarter. It differs from the statutory rate because of foreign"
            " earnings, credits for research and the release of reserves.",
            rate,
            "What was the effective tax rate",
        ),
        (
            "Liquidity and debt",
            f"Long-term debt stood at {debt} at the end of the quarter. We were in compliance with all covenants, and"
            " our credit facility was not drawn.",
            debt,
            "How much long-term debt was outstanding",
        ),
        (
            "Plants",
            f"During the quarter we began to enlarge our plant in {site}. We believe that our plants are adequate for"
            " the business as it is conducted and foreseen.",
            site,
            "Which plant was enlarged",
        ),
    ]
    return pages
