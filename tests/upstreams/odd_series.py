"""Series of the realistic library with something about them.

Each oddity is one call, with what it stands for; the expected outcome is part of the call.
"""

from typing import TYPE_CHECKING

from .library import series
from .titles import MISSING
from .views import Library

if TYPE_CHECKING:
    from .realistic import Teller


class OddSeries:
    """Series with something about them."""

    def __init__(self, library: Library) -> None:
        self.plain = [
            series(
                library, "Чернобыль / Chernobyl", 2019, "tt7366338", {1: 5}, item=8101, tmdb=87108, shown="tt7366338"
            ),
            # Numbers come as strings.
            series(
                library, "Тьма / Dark", 2017, "tt5753856", {1: 10, 2: 8, 3: 8}, item=8102, tmdb=70523, text_numbers=True
            ),
            # The rows have no `imdb` key, the item has.
            series(
                library,
                "Острые козырьки / Peaky Blinders",
                2013,
                "tt2442560",
                dict.fromkeys(range(1, 7), 6),
                item=8103,
                tmdb=60574,
                row_imdb=MISSING,
            ),
            # Specials on Kinopub that Trakt does not have.
            series(
                library,
                "Шерлок / Sherlock",
                2010,
                "tt1475582",
                {0: 2, 1: 3, 2: 3, 3: 3, 4: 3},
                item=8104,
                tmdb=19885,
                without=[(0, 1), (0, 2)],
            ),
            # A gap in Trakt's numbering; Trakt has specials besides.
            series(
                library,
                "Космос: Пространство и время / Cosmos: A Spacetime Odyssey",
                2014,
                "tt2395695",
                {1: 13},
                item=8105,
                tmdb=58474,
                type="docuserial",
                without=[(1, 8)],
                only_trakt={0: 3},
            ),
            series(
                library,
                "Планета Земля 2 / Planet Earth II",
                2016,
                "tt5491994",
                {1: 6},
                item=8106,
                tmdb=68595,
                type="docuserial",
            ),
            # No IMDb id: mapped by text, in spite of another one of that name.
            series(library, "Ликвидация / Liquidation", 2007, None, {1: 14}, item=8107),
        ]
        library.catalogue.add_show("Liquidation", 2019, {1: range(1, 5)}, popularity=30.0)
        self.lost = [
            series(
                library, "Поехали! / Off We Go", 2016, "tt9899992", {1: 8}, item=8110, known=False, lost="not_found"
            ),
            series(
                library,
                "Следствие вели...",
                2006,
                None,
                {1: 12},
                item=8111,
                type="tvshow",
                known=False,
                lost="not_found",
            ),
            # Trakt has two shows with this IMDb id, and no score tells them apart.
            series(
                library, "Утопия / Utopia", 2013, "tt2384811", {1: 6, 2: 6}, item=8112, tmdb=46511, lost="ambiguous"
            ),
        ]
        library.catalogue.add_show("Utopia", 2013, {1: range(1, 7)}, imdb="tt2384811")
        self.brothers = series(
            library, "Братья по оружию / Band of Brothers", 2001, "tt0185906", {1: 10}, item=8120, tmdb=4613
        )
        # Kinopub counts two specials as episodes of a season; Trakt's seasons end before them.
        self.mirror = series(
            library,
            "Черное зеркало / Black Mirror",
            2011,
            "tt2085059",
            {1: 3, 2: 4, 3: 6, 4: 7, 5: 3},
            item=8632,
            tmdb=42009,
            without=[(2, 4), (4, 7)],
            only_trakt={0: 2, 6: 5},
        )
        self.severance = series(
            library, "Разделение / Severance", 2022, "tt11280740", {1: 9, 2: 10}, item=8121, tmdb=95396
        )
        self.silo = series(
            library,
            "Укрытие / Silo",
            2023,
            "tt14688458",
            {1: 10, 2: 10},
            item=8122,
            tmdb=125988,
            trakt={"trakt": 180_770, "tvdb": 403_245},
        )
        self.top_gear = series(
            library, "Топ Гир / Top Gear", 2002, "tt1628033", {18: 7, 19: 6, 20: 6}, item=8123, tmdb=45, type="tvshow"
        )

    def watch(self, told: "Teller") -> None:
        library, user = told.library, told.user
        for title in (*self.plain, *self.lost):
            told.series(title, title.units)
        # Watched with another program that told Trakt at once.
        told.series(self.brothers, self.brothers.units, had=True)
        # Bulk-marked season by season, each in one second and without rows; the last season was really watched.
        for season, units in self.mirror.seasons().items():
            for n, unit in enumerate(units):
                at = told.ago(500) + season * 8 if season < 5 else told.ago(480 - n)
                library.finish(user, self.mirror, unit, at, row=season == 5)
        # In the middle of the second season: one begun, one opened only, the rest not touched, so not even skipped.
        told.series(self.severance, self.severance.units[:12])
        library.begin(user, self.severance, self.severance.unit(2, 4), told.ago(0.9))
        library.begin(user, self.severance, self.severance.unit(2, 5), told.ago(0.8), status=-1)
        told.series(self.silo, self.silo.units[:11])
        # Two episodes of which nothing says when: neither `updated` nor a row.
        told.series(self.top_gear, [unit for unit in self.top_gear.units if unit.season < 20])
        for number in (1, 2):
            library.finish(user, self.top_gear, self.top_gear.unit(20, number), None, row=False)
        library.viewer(user).subscribed |= {self.severance.id, self.silo.id}
