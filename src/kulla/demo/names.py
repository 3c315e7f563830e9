"""Common Albanian given names and surnames, from which people are composed at random.

Each list alone is common knowledge; the combinations, birth dates and numbers are invented. RESERVED given
names belong to the accounts of the demo and to nobody else, so that a search for an account's full name can
only find that account.
"""

RESERVED = (
    "Arta", "Dritëro", "Teuta", "Besnik", "Valbona", "Luan", "Donika", "Rrok", "Teodora", "Pashko", "Hatixhe",
    "Ndue", "Prenda", "Lekë", "Fidane", "Marinela", "Mrika", "Klarita", "Anna", "Димитър", "Ελένη", "Lume",
    "Rosalind",
)  # fmt: skip

_WOMEN = """
Afërdita Albana Alketa Alma Anila Ariana Aurora Blerina Brikena Brunilda Dafina Diana Dorina Drita Edlira
Elda Elira Elisa Elona Elsa Enkelejda Entela Era Erinda Ermira Etleva Evisa Fatbardha Fatmira Flora Flutura
Gentiana Ilda Ina Irena Jehona Jonida Jorida Kaltrina Klea Kristina Ledia Lindita Liri Luljeta Majlinda
Manjola Marjeta Merita Migena Mimoza Mira Mirela Mirjeta Nora Ornela Pranvera Rea Rezarta Rovena Rudina Sara
Shpresa Silva Sonila Suela Valentina Vera Vjollca Yllka Zamira Zana
"""
_MEN = """
Adnan Adrian Afrim Agim Agron Alban Albert Aleks Altin Andi Ardian Ardit Arjan Armand Artan Astrit Bashkim
Bledar Blerim Burim Dardan Denis Dorian Dritan Durim Edmond Elton Endri Enis Eno Erion Ermal Fatmir Fatos
Flamur Florian Gazmend Genc Gentian Gëzim Gjergj Gjon Hysen Ilir Indrit Isuf Kastriot Klajdi Klodian
Kreshnik Kujtim Ledion Lorik Lulzim Mentor Mikel Naim Niko Orges Pëllumb Petrit Redon Roland Rron Sajmir
Selim Shkëlzen Skënder Sokol Taulant Valon Viktor Xhevahir Ylli Zef
"""
_SURNAMES = """
Agolli Alia Aliaj Arapi Bajrami Balla Bardhi Basha Beqiri Berisha Biba Bushati Cani Dalipi Dema Dervishi
Dibra Doda Dragoti Duka Elezi Fejzo Ferati Frashëri Gega Gjata Gjeta Gjika Gjini Gjoka Gjoni Hajdari Halili
Hasani Haxhiu Hoti Hoxha Hysa Hyseni Ibrahimi Islami Ismaili Jaku Kaja Kaloshi Kamberi Kapllani Kastrati
Koci Kodra Kola Koleci Kondi Krasniqi Kryeziu Kuka Kurti Lala Lamaj Leka Lika Lleshi Llupi Lushi Malaj Malo
Marku Mema Meta Minga Molla Muça Murati Musta Ndoja Ndreca Nika Noka Osmani Palushi Pasha Pepa Përmeti
Picari Pjetri Prendi Prifti Progri Qosja Rama Rexhepi Rrapi Ruçi Sala Selimi Shala Shehu Shkurti Shtylla
Sinani Spahiu Sula Tahiri Tafa Teli Toska Troka Uka Vata Veliu Vogli Xhafa Xhaferi Ymeri Zeka Zogu Zyberi
"""
_STREETS = """
Rruga e Dëborës
Rruga e Ullinjve
Rruga e Kalasë
Rruga e Burimit
Rruga e Lisave
Rruga e Pishave
Rruga e Urës
Rruga e Stacionit
Rruga e Mullirit
Rruga e Pazarit
Rruga e Lulishtes
Rruga e Portit
"""

WOMEN = tuple(_WOMEN.split())
MEN = tuple(_MEN.split())
SURNAMES = tuple(_SURNAMES.split())
STREETS = tuple(_STREETS.strip().splitlines())
