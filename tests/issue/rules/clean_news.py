"""Sound news items, full of what misleads a checker: no rule of style or vocabulary speaks up.

Five items make an issue; the first line of each is its headline.
"""

from __future__ import annotations

_ISSUES = (
    """\
Allies agree to co-produce air defense missiles
Defense Secretary Lloyd Austin and Defense Minister Minoru Kihara agreed on July 28 to produce
more Patriot interceptors in Japan. Stocks of the PAC-3 in the U.S. arsenal, Austin’s aides
said, had had to be moved to Europe twice. “We know that that cannot go on,” one of them told
reporters. The plan needs a decade-long contract, money for a second line and, above all, parts:
seekers come from a single plant in the United States. Gen. Charles Brown, who took part, called
the accord a long-term answer; in the long term, he said, both forces gain. A working group
meets on Sept. 4 and again before the end of September.

Bank of Japan raises interest rate to 0.25%
The Bank of Japan raised its key rate to about 0.25% on July 31, its second increase this year,
and will halve its bond purchases by early 2026. Governor Kazuo Ueda said that wages and prices
were moving as the bank had expected. The yen rose by 2 percentage points against the dollar
within a day, to 150 yen. Economists in Tokyo were split: of 40 asked by a news agency, some
three quarters had expected no move. Treasury Secretary Janet Yellen, speaking in Brazil,
declined to comment on the level of the currency but repeated that intervention should be rare.

Quad foreign ministers meet in Tokyo
The foreign ministers of Australia, India, Japan and the U.S. met in Tokyo on July 29, their
eighth session since 2019. Yoko Kamikawa, Penny Wong, Subrahmanyam Jaishankar and Antony Blinken
expressed serious concern about the East and South China seas without naming Beijing. They
announced a cybersecurity network for the islands of the Pacific and a maritime legal dialogue.
Wong’s office said that Australian officials would host the first round; India hosts the summit.
China’s Foreign Ministry said that the four countries were “playing up tension.” No date was
given for the leaders’ meeting.

Nippon Steel hires Pompeo to win over skeptics of takeover
Nippon Steel has engaged Mike Pompeo, a former secretary of state, as it tries to close its
$14.9 billion purchase of U.S. Steel, a company spokesman said on July 20. Both President Joe
Biden and Donald Trump oppose the sale to the Japanese steelmaker. The Committee on Foreign
Investment in the United States (CFIUS) is studying it; lawyers close to the talks expect CFIUS
to answer before the year is out. The United Steelworkers union, led by David McCall, says it
was not consulted. Shareholders agreed to the price of $55 a share in April.

Marine accused of assault stirs anger in Okinawa
Okinawa Gov. Denny Tamaki protested to Ambassador Rahm Emanuel on July 3 after it became known
that prosecutors had charged an airman in March and a Marine in June without word to the
prefecture. Tamaki said that the silence, which lasted for months, was a breach of trust between
the base towns and Tokyo. Chief Cabinet Secretary Yoshimasa Hayashi promised that the police
would pass on such cases from now on. A 3-year-old accord with the Air Force provides for joint
patrols, the first of which took place in Okinawa City that week. Turnout at a rally on July 14
was put at 2,500.
""",
    """\
Ishiba and Trump pledge “golden age” in first meeting
Prime Minister Shigeru Ishiba met President Donald Trump at the White House on Feb. 7, the third
foreign leader to do so since the inauguration. Ishiba told Trump that Japan would raise its
investment in the U.S. to $1 trillion. The leaders reaffirmed that Article 5 of the security
treaty covers the Senkaku Islands, and they spoke of liquefied natural gas from Alaska. Asked
whether Japan would strike back if tariffs came, Ishiba answered that he could not reply to a
hypothetical question. “Wow, that’s a very good answer,” said Trump. Marco Rubio and Takeshi
Iwaya, the two foreign ministers, held talks of their own a week later in Munich.

Toyota opens battery plant in North Carolina
Toyota said on Feb. 5 that its $13.9 billion plant in Liberty, NC, is ready and will ship its
first batteries in April. It is the carmaker’s first such site outside Japan and will employ
some 5,000 people on a campus the size of 121 football fields. Fourteen lines will build cells
for hybrids and for all-electric cars alike. Governor Josh Stein called it the largest single
investment in the history of the state. The carmaker would not say what tariffs on Canada and
Mexico might cost it; Honda and Nissan, whose merger talks broke down, build many of their
pickup trucks south of the border.

3 countries’ coast guards train off Kagoshima
The coast guards of Japan, the Philippines and the United States held a joint search and rescue
drill off Kagoshima on June 20, the second of its kind after one in 2023. The Philippine vessel
Teresa Magbanua, built in Japan with Japanese loans, sailed north for it. Rear Adm. Andrew
Sugimoto, deputy commander of the Pacific area, watched from the bridge of the Akitsushima.
Philippine President Ferdinand Marcos Jr. thanked both partners in a speech on June 23. Coast
guard officials from the three nations will meet once a year, in turn, and exchange crew members
on long patrols.

Lawmakers seek faster visas for shipyard workers
Sens. Todd Young (R-Ind.) and Mark Kelly (D-Ariz.) and Rep. Jill Tokuda (D-Hawaii) put forward a
bill on June 12 that would let engineers from Japan and South Korea work in American yards for
up to five years. Mike Waltz, now ambassador to the U.N., had proposed a like measure. At
present a naval ship may be repaired abroad only for what could not wait; a change of that rule
is not part of the bill. Kelly, once a captain in the merchant fleet himself, said that “ships
don’t vote, but workers do.” A House panel is to take it up by the fall. The Navy declined to
comment.

Group of 7 backs Ukraine, warns North Korea
Leaders of the G7 closed their summit on June 17 with a promise of more aid for Ukraine and a
warning to North Korea over the theft of crypto assets. Ukrainian President Volodymyr Zelenskyy
joined them on the last day, as did South Korean President Lee Jae-myung, who met Ishiba for
half an hour. Trump left a day early because of Iran, so a talk with Ishiba on car tariffs
lasted 30 minutes. Japan’s chief negotiator, Ryosei Akazawa, stayed on for a sixth round with
Commerce Secretary Howard Lutnick. A deal, he said, was shrouded in fog. Canada held the chair;
France takes over in 2026.
""",
    """\
Kishida, Yoon and Biden meet at Camp David
President Biden received Prime Minister Kishida and South Korean President Yoon Suk Yeol at Camp
David on August 18 for the first trilateral summit that was not held on the margins of another
event. They agreed to consult each other when a crisis arises, to hold yearly drills and to
share warning data on North Korean missiles by the end of December. A hotline will link the
three capitals. Experts noted that the commitment to consult is not a defense pact; an attack on
one is not an attack on all. National Security Adviser Jake Sullivan called the results “a big
deal.” China’s state media called it a “mini NATO.”

Japan begins release of treated water from Fukushima
Tokyo Electric Power began to release treated water from the wrecked Fukushima No. 1 plant on
August 24. The International Atomic Energy Agency (IAEA) had found in July that the plan meets
safety standards, and IAEA staff are on site. China at once banned all seafood from Japan, which
sold it 87 billion yen’s worth in 2022. Ambassador Emanuel traveled to Soma on August 31 and ate
flounder for lunch. Rafael Grossi, who heads the agency, said the release would go on for some
30 years. South Korea’s government sees no scientific problem, though the opposition does. Gov.
Masao Uchibori asked for help.

New Air Force drones to stay at Kadena for a year
The U.S. Air Force will move eight MQ-9 drones from Kanoya, on Kyushu, to Kadena Air Base in
Okinawa, Japan’s Defense Ministry told local leaders on August 25. Some 150 to 160 airmen go
with them. The aircraft, unarmed, watch the sea lanes around the Nansei islands, as they did
during their one-year stay in Kagoshima. The mayor of Kadena Town said that noise from F-15s and
F-35As was burden enough. A Navy squadron of the larger MQ-4C is to follow. Officials put the
range of an MQ-9 at more than 1,800 km and its endurance at over 20 hours.

House panel hears of gaps in Pacific missile defense
Guam needs interceptors sooner than planned, Adm. John Aquilino told the House Armed Services
Committee on August 22. He asked for $147 million above the budget, about 10% more. The system,
he said, will join Aegis, Patriot and the Terminal High Altitude Area Defense (THAAD) battery
that has stood on the island since 2013. Lawmakers from both parties asked why the THAAD crews
still live in tents. Rep. Mike Gallagher wanted to know if Japan might build parts. “They can
and they should,” Aquilino replied. The price of the whole, which is to be ready in 2028, is put
at $1.5 billion by the Pentagon.

Survey: Most Japanese see alliance as reliable
Two in three Japanese hold that the United States would come to their aid, a survey by Tokyo’s
Waseda University shows, up from 55% a year before. Young people, in particular, are confident;
those over 60 are less so. Asked what troubles them most, four out of ten named the Taiwan
Strait and three out of ten North Korea’s missiles. Support for a rise in defense spending to 2%
of output fell once taxes were mentioned. Some 1,200 people answered between July 20 and August
2. A parallel poll in the United States, by a Chicago think tank, finds that Americans trust
Japan more than any partner but Canada.
""",
    """\
Carrier George Washington returns to Yokosuka
The carrier USS George Washington arrived at Yokosuka on Nov 22, nine years after it left for an
overhaul. The ship, with a crew of nearly 5,000, relieves the USS Ronald Reagan, which is now in
Bremerton, Wash. F-35C fighters fly from a carrier based in Japan for the first time. Vice Adm.
Fred Kacher of the Seventh Fleet said that there was no better signal of resolve. Protesters in
small boats met the ship at the harbor’s mouth; the mayor, Katsuaki Kamiji, welcomed it. The
George Washington caught fire on its way to Japan in 2008. It will stay for about a decade.

Rapidus gets go-ahead for 2-nanometer trial line
Chipmaker Rapidus has installed the first of its extreme ultraviolet machines, which it needs to
make chips of the 2nm class, at Chitose in Hokkaido. It works with IBM of New York and wants to
begin a trial run in April and mass production in 2027. The government has set aside 920 billion
yen so far; a bill that the Cabinet passed on Nov 29 would let it buy shares and guarantee
loans. Some analysts doubt that there will be customers. “Somebody has to go first,” said
Atsuyoshi Koike, the president. TSMC, which already makes chips in Kumamoto, is building a
second plant next to its first.

Osprey flights paused again after near accident
US and Japanese forces halted flights of the V-22 Osprey on Dec 9 after cracks were found in a
gear of an aircraft that had made an emergency landing in New Mexico. It is the second stop
within 13 months: eight airmen died off Yakushima in November 2023. Japan owns 17 of the
tilt-rotors, the US military keeps about 30 in the country. Japan’s defense minister, Gen
Nakatani, said that his troops’ own inquiry into an October mishap on Yonaguni had found human
error. The Marines, who fly most of them, resumed work on Dec 20, but only within 30 minutes of
an airfield.

Diet passes extra budget; minority government survives test
The Lower House passed an extra budget of 13.9 trillion yen on Dec 12 with votes from the
opposition, the first time in 28 years that a draft was amended on the way. Ishiba’s Liberal
Democratic Party (LDP) has led a minority since it lost 56 seats in October, so the LDP must win
over one rival or another for every bill. This time it was the Democratic Party for the People,
whose leader, Yuichiro Tamaki, wants a higher tax-free allowance. Some money for Noto, where an
earthquake struck on New Year’s Day, was added at the wish of Yoshihiko Noda. Defense gets 800
billion yen.

Tokyo, Manila troops-access pact clears Philippine Senate
The Senate of the Philippines approved a pact with Japan on Dec 16 that eases the entry of
troops for joint training, by 19 votes to none. Japan has such accords with Australia and
Britain; Manila has one with Washington and one with Canberra. Once Japan’s Diet agrees,
Self-Defense Forces may join the yearly Balikatan drills in full. Defense Secretary Gilberto
Teodoro said that each country’s waters concern the other. Beijing’s envoy voiced regret. Two
days later, a Chinese cutter used a water cannon near Scarborough Shoal, which is claimed by
China and the Philippines.
""",
)


def _items(text: str) -> tuple[tuple[str, str], ...]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return tuple((lines[0], " ".join(lines[1:])) for lines in blocks)


CLEAN_ISSUES = tuple(_items(text) for text in _ISSUES)
