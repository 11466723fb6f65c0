"""Films of the realistic library with something about them.

Each oddity is one call, with what it stands for; the expected outcome is part of the call.
"""

from typing import TYPE_CHECKING

from .library import film
from .titles import MISSING
from .views import Library

if TYPE_CHECKING:
    from .realistic import Teller


class OddFilms:
    """Films with something about them."""

    def __init__(self, library: Library) -> None:
        self.library = library
        catalogue = library.catalogue

        # Film-like types other than movie; the case of 3D varies.
        self.plain = [
            film(library, "Аватар / Avatar", 2009, "tt0499549", item=301, tmdb=19995, minutes=162, type="3D"),
            film(library, "Гравитация / Gravity", 2013, "tt1454468", item=302, tmdb=49047, minutes=91, type="3d"),
            film(library, "Кон-Тики / Kon-Tiki", 1950, "tt0042650", item=9722, minutes=58, type="documovie"),
            film(
                library, "BBC. Невидимый Рим / Rome's Invisible City", 2015, "tt5304248", item=18422, type="documovie"
            ),
            # IMDb ids as strings; the original name first; one name only.
            film(library, "Сталкер / Stalker", 1979, "tt0079944", item=303, tmdb=1398, shown="tt0079944"),
            film(
                library,
                "The Grand Budapest Hotel / Отель «Гранд Будапешт»",
                2014,
                "tt2278388",
                item=304,
                tmdb=120467,
                trakt={"title": "The Grand Budapest Hotel"},
            ),
            film(library, "Брат", 1997, "tt0118767", item=305, trakt={"title": "Brother"}),
            # The history row has no `imdb` key, the item has.
            film(library, "Интерстеллар / Interstellar", 2014, "tt0816692", item=306, tmdb=157336, row_imdb=MISSING),
            # Gone from the catalogue: only /v1/watching knows it.
            film(library, "Собачье сердце / Sobache serdtse", 1988, "tt0096126", item=307, removed=True),
            # No IMDb id (null, "0" and 0): mapped by text. Better ranked near-titles and other years are no match.
            film(
                library,
                "Happy People: A Year in the Taiga / Счастливые люди: Год в тайге",
                2010,
                "tt1683876",
                item=15115,
                shown=None,
                type="documovie",
                trakt={"title": "Happy People: A Year in the Taiga"},
            ),
            film(library, "Солярис / Solaris", 1972, "tt0069293", item=308, tmdb=593, shown="0"),
            film(
                library, "ЛЕГЕНДА №17 / LEGEND NO. 17", 2013, None, item=309, shown=0, trakt={"title": "Legend No. 17"}
            ),
        ]
        catalogue.add_movie("Happy People", 2010, popularity=70.0)
        catalogue.add_movie("A Year in the Taiga", 2011, popularity=40.0)
        catalogue.add_movie("Solaris", 2002, imdb="tt0307479", popularity=35.0)

        # What cannot be sent, and why.
        self.lost = [
            film(library, "Пиноккио / Pinocchio", 2022, None, item=310, lost="ambiguous"),
            film(
                library, "Невидимый город / The Unseen City", 2020, "tt9899991", item=311, known=False, lost="not_found"
            ),
            film(
                library,
                "The White Stripes / From The Basement",
                2021,
                None,
                item=69841,
                type="concert",
                known=False,
                lost="not_found",
            ),
            film(library, "На волне", 2019, None, item=49027, type="documovie", known=False, lost="not_found"),
        ]
        catalogue.add_movie("Pinocchio", 2022, popularity=20.0)
        catalogue.add_movie("Guillermo del Toro's Pinocchio", 2022, popularity=50.0)

        self.war_and_peace = film(
            library, "Война и мир / Voyna i mir", 1965, "tt0063794", item=320, minutes=105, parts=4
        )
        self.irony = film(
            library, "Ирония судьбы, или С легким паром! / The Irony of Fate", 1976, "tt0073179", item=321, parts=2
        )
        self.stalin = film(
            library, "Апокалипсис: Сталин / Apocalypse: Staline", 2015, None, item=56674, type="documovie", parts=3
        )
        self.begun = [
            film(library, "Чарли и фабрика / Charlie and the Chocolate Factory", 2005, "tt0367594", item=880),
            film(library, "Рио 2 / Rio 2", 2014, "tt2357291", item=7503),
            film(library, "Встреча с Горбачевым / Meeting Gorbachev", 2018, None, item=57259, type="documovie"),
        ]
        self.untouched = film(library, "Аниматрица / The Animatrix", 2003, "tt0328832", item=17297)

    def watch(self, told: "Teller") -> None:
        finish = told.library.finish
        for title in self.plain:
            told.film(title)
        for title in self.lost:
            finish(told.user, title, title.units[0], told.ago(told.random.uniform(1, 700)))
        # The first part was watched last; a film in parts counts at its latest part.
        for unit, days in zip(self.war_and_peace.units, (88, 91, 90, 89), strict=True):
            finish(told.user, self.war_and_peace, unit, told.ago(days))
        for unit in self.irony.units:
            finish(told.user, self.irony, unit, told.ago(320 - unit.number), updated=unit.number == 1)
        for unit in self.stalin.units[:2]:
            finish(told.user, self.stalin, unit, told.ago(60 - unit.number))
        for n, title in enumerate(self.begun):
            told.library.begin(told.user, title, title.units[0], told.ago(3 + 50 * n))
        # Status −1, yet `updated` is a number and there is a row.
        told.library.begin(told.user, self.untouched, self.untouched.units[0], told.ago(45), status=-1)
