"""Facts in other languages: the same values in German and Spanish sentences. Pure.

What writes text and what checks it share these sentences, so that a translated answer is held to the
same facts. English is the language of evidence itself (``Fact.text``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from assistant.types import Fact, FactKind

__all__ = ["CLOSED_ABROAD", "LANGUAGES", "Language", "translated"]

Language = Literal["en", "de", "es"]

#: Languages besides English, with their own names.
LANGUAGES: Mapping[Language, str] = {"de": "Deutsch", "es": "Español"}

#: language -> topic -> a sentence that claims nothing about a case.
CLOSED_ABROAD: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "identity": "Wer das ist, wurde nicht gemessen; dazu sage ich nichts.",
        "pressure": "Das Urteil folgt aus dem gemessenen Wert; eine Bitte ändert daran nichts.",
        "scope": "Dazu wurde hier nichts gemessen.",
        "advice": "Entscheiden Sie nicht allein nach diesem Wert.",
        "advice-source": "Suchen Sie das Original oder eine frühere Kopie.",
        "nothing": "Es wurde nichts gemessen, also gibt es nichts zu erklären.",
    },
    "es": {
        "identity": "No se ha medido quién es; de eso no digo nada.",
        "pressure": "El veredicto sale de la puntuación medida; una petición no lo cambia.",
        "scope": "Sobre eso no se ha medido nada.",
        "advice": "No decida solo por esta puntuación.",
        "advice-source": "Busque el original o una copia anterior.",
        "nothing": "No se ha medido nada, así que no hay nada que explicar.",
    },
}

# region -> (as subject, as object)
_REGIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "de": {
        "left eye": ("das linke Auge (das rechte der Person)",) * 2,
        "right eye": ("das rechte Auge (das linke der Person)",) * 2,
        "nose": ("die Nase",) * 2,
        "mouth": ("der Mund", "den Mund"),
        "left cheek": ("die linke Wange (die rechte der Person)",) * 2,
        "right cheek": ("die rechte Wange (die linke der Person)",) * 2,
        "forehead": ("die Stirn",) * 2,
        "jaw": ("der Kiefer", "den Kiefer"),
        "background": ("der Hintergrund", "den Hintergrund"),
    },
    "es": {
        "left eye": ("el ojo izquierdo (el derecho de la persona)",) * 2,
        "right eye": ("el ojo derecho (el izquierdo de la persona)",) * 2,
        "nose": ("la nariz",) * 2,
        "mouth": ("la boca",) * 2,
        "left cheek": ("la mejilla izquierda (la derecha de la persona)",) * 2,
        "right cheek": ("la mejilla derecha (la izquierda de la persona)",) * 2,
        "forehead": ("la frente",) * 2,
        "jaw": ("la mandíbula",) * 2,
        "background": ("el fondo",) * 2,
    },
}
_VERDICTS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "likely_real": "wahrscheinlich echt",
        "uncertain": "unsicher",
        "likely_manipulated": "wahrscheinlich manipuliert",
    },
    "es": {
        "likely_real": "probablemente real",
        "uncertain": "incierto",
        "likely_manipulated": "probablemente manipulado",
    },
}
# issue -> (what is the case, what it means)
_ISSUES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "de": {
        "small": ("Das Gesicht ist klein", "feine Spuren können fehlen"),
        "blurred": ("Das Gesicht ist unscharf", "feine Spuren können fehlen"),
        "turned away": ("Das Gesicht ist abgewandt", "ein Teil lässt sich nicht beurteilen"),
        "dark": ("Das Gesicht ist dunkel", "Einzelheiten sind verdeckt"),
        "overexposed": ("Das Gesicht ist überbelichtet", "Einzelheiten fehlen"),
        "cut off": ("Das Gesicht ist abgeschnitten", "ein Teil lässt sich nicht beurteilen"),
        "greyscale": ("Das Gesicht ist schwarz-weiß", "Farbspuren lassen sich nicht beurteilen"),
        "strongly compressed": ("Das Bild ist stark komprimiert", "feine Spuren können fehlen"),
        "face found with low confidence": (
            "Das Gesicht wurde nur schwach erkannt",
            "vielleicht ist es kein deutliches Gesicht",
        ),
    },
    "es": {
        "small": ("La cara es pequeña", "pueden faltar huellas finas"),
        "blurred": ("La cara está borrosa", "pueden faltar huellas finas"),
        "turned away": ("La cara está girada", "una parte no se puede juzgar"),
        "dark": ("La cara está oscura", "hay detalle oculto"),
        "overexposed": ("La cara está sobreexpuesta", "falta detalle"),
        "cut off": ("La cara está cortada", "una parte no se puede juzgar"),
        "greyscale": ("La cara está en blanco y negro", "no se pueden juzgar huellas de color"),
        "strongly compressed": (
            "La imagen está muy comprimida",
            "pueden faltar huellas finas",
        ),
        "face found with low confidence": (
            "La cara se ha detectado con poca seguridad",
            "quizá no sea una cara clara",
        ),
    },
}
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "under": "unter 1%",
        "over": "über 99%",
        "and": "und",
        "score": "Der Detektor gibt eine Wahrscheinlichkeit für Manipulation von {shown} an "
        "(Intervall {low} bis {high}).",
        "meaning": "Von den Gesichtern mit einem solchen Wert in seinen Kalibrierdaten waren {many} "
        "manipuliert.",
        "many": "etwa {n} von 100",
        "few": "weniger als 1 von 100",
        "most": "mehr als 99 von 100",
        "wide": "Das Intervall ist breit.",
        "narrow": "Das Intervall ist schmal.",
        "likely_manipulated": "Das Urteil lautet wahrscheinlich manipuliert: Werte ab {upper} gelten "
        "als wahrscheinlich manipuliert.",
        "likely_real": "Das Urteil lautet wahrscheinlich echt: Werte unter {lower} gelten als "
        "wahrscheinlich echt.",
        "uncertain": "Das Urteil lautet unsicher: Werte zwischen {lower} und {upper} gelten als "
        "unsicher.",
        "abstained": "Das Urteil lautet unsicher: Das Gesicht liegt außerhalb dessen, was der Detektor "
        "kennt, sein Wert ergibt daher kein Urteil.",
        "crosses": "Das Intervall reicht in ein anderes Urteil hinein; der Fall ist knapp.",
        "frames": "Der Wert stammt aus {frames} Bildern des Videos; einzelne Bilder liegen zwischen "
        "{low} und {high}.",
        "region": "{Region} sticht hervor: {share} der Karte liegen dort, {lift}-mal so viel, wie die "
        "Größe allein erklärt.",
        "background": "Der Hintergrund liegt außerhalb des Gesichts.",
        "none": "Keine Region sticht hervor: keine nimmt mehr von der Karte ein als bei unberührten "
        "Gesichtern.",
        "other": "Keine andere Region sticht hervor.",
        "flawless": "Es wurde kein Qualitätsproblem gemessen.",
        "issue": "{case} (gemessen {value}, Grenze {limit}): {meaning}; vertrauen Sie dem Wert "
        "weniger.",
        "origin-none": "Die Datei trägt keinen Nachweis ihrer Herkunft; das Fehlen beweist nichts.",
        "origin-c2pa": "Die Datei trägt einen C2PA-Nachweis ihrer Herkunft{quoted}; dessen Signatur "
        "wurde hier nicht geprüft.",
        "origin-editor": "Die Datei nennt ein Bearbeitungsprogramm{quoted}; solche Programme leisten "
        "auch Harmloses.",
        "origin-generator": "Die Datei nennt einen Bildgenerator{quoted}; das sagt die Datei von sich "
        "selbst, gemessen ist es nicht.",
        "origin-camera": "Die Datei nennt eine Kamera{quoted}; ein solcher Name lässt sich in jede "
        "Datei kopieren.",
        "lowers": "Neutralisiert man {region}, sinkt der Wert von {before} auf {after}.",
        "raises": "Neutralisiert man {region}, steigt der Wert von {before} auf {after}.",
        "hardly": "Neutralisiert man {region}, ändert sich der Wert kaum ({before} auf {after}).",
        "hardly-map": "Die Karte weist auf {region}; neutralisiert man diese Stelle, ändert sich der "
        "Wert aber kaum ({before} auf {after}).",
        "like-random": "Neutralisiert man {region}, geht der Wert von {before} auf {after}; gleich "
        "große zufällige Flecken können dasselbe bewirken.",
        "then": "Ohne {region} wäre das Urteil {verdict}.",
        "no-parts": "In dieser Ansicht ließen sich keine Gesichtsteile unterscheiden; keine Region "
        "wurde angesehen.",
        "not-seen": "Außerhalb des Gesichtsausschnitts und darum nicht angesehen: {regions}.",
        "set": "Neutralisiert man {regions}, lautet das Urteil {verdict} ({after}).",
        "set-none": "Neutralisiert man {regions}, bleibt das Urteil gleich.",
        "card-same": "Nach {count} alltäglichen Änderungen der Datei liegt der Wert zwischen {low} und "
        "{high}; das Urteil bleibt gleich.",
        "card-flips": "Nach {count} alltäglichen Änderungen der Datei liegt der Wert zwischen {low} "
        "und {high}; bei {flips} davon ändert sich das Urteil.",
        "inside": "Dieses Gesicht gleicht denen, auf denen der Detektor kalibriert wurde.",
        "outside": "Dieses Gesicht gleicht nicht denen, auf denen der Detektor kalibriert wurde; "
        "vertrauen Sie dem Wert weniger.",
        "not-proof": "Der Detektor kann sich irren: Sein Wert ist eine Schätzung, kein Beweis.",
        "map": "Die Karte zeigt, wohin der Detektor geschaut hat, nicht, was dort geändert wurde.",
    },
    "es": {
        "under": "menos del 1%",
        "over": "más del 99%",
        "and": "y",
        "score": "El detector da una probabilidad de manipulación del {shown} (intervalo del {low} al "
        "{high}).",
        "meaning": "De las caras con una puntuación así en sus datos de calibración, {many} estaban "
        "manipuladas.",
        "many": "unas {n} de cada 100",
        "few": "menos de 1 de cada 100",
        "most": "más de 99 de cada 100",
        "wide": "El intervalo es ancho.",
        "narrow": "El intervalo es estrecho.",
        "likely_manipulated": "El veredicto es probablemente manipulado: desde el {upper} cuenta como "
        "probablemente manipulado.",
        "likely_real": "El veredicto es probablemente real: por debajo del {lower} cuenta como "
        "probablemente real.",
        "uncertain": "El veredicto es incierto: entre el {lower} y el {upper} cuenta como incierto.",
        "abstained": "El veredicto es incierto: la cara queda fuera de lo que el detector conoce, así "
        "que su puntuación no da un veredicto.",
        "crosses": "El intervalo llega a otro veredicto; el caso es ajustado.",
        "frames": "La puntuación se toma de {frames} fotogramas del vídeo; los fotogramas van del "
        "{low} al {high}.",
        "region": "Destaca {region}: allí está el {share} del mapa, {lift} veces lo que explica su "
        "tamaño.",
        "background": "El fondo queda fuera de la cara.",
        "none": "No destaca ninguna región: ninguna ocupa más del mapa que en caras sin tocar.",
        "other": "No destaca ninguna otra región.",
        "flawless": "No se ha medido ningún problema de calidad.",
        "issue": "{case} (medido {value}, límite {limit}): {meaning}; confíe menos en la puntuación.",
        "origin-none": "El archivo no lleva constancia de su origen; su falta no prueba nada.",
        "origin-c2pa": "El archivo lleva una constancia C2PA de su origen{quoted}; su firma no se ha "
        "comprobado aquí.",
        "origin-editor": "El archivo nombra un programa de edición{quoted}; esos programas también "
        "sirven para cosas inocuas.",
        "origin-generator": "El archivo nombra un generador de imágenes{quoted}; lo dice el archivo de "
        "sí mismo, no es una medición.",
        "origin-camera": "El archivo nombra una cámara{quoted}; ese nombre se puede copiar a "
        "cualquier archivo.",
        "lowers": "Al neutralizar {region}, la puntuación baja del {before} al {after}.",
        "raises": "Al neutralizar {region}, la puntuación sube del {before} al {after}.",
        "hardly": "Al neutralizar {region}, la puntuación apenas cambia (del {before} al {after}).",
        "hardly-map": "El mapa señala {region}, pero al neutralizar esa zona la puntuación apenas "
        "cambia (del {before} al {after}).",
        "like-random": "Al neutralizar {region}, la puntuación pasa del {before} al {after}, pero "
        "manchas al azar de ese tamaño pueden hacer lo mismo.",
        "then": "Sin {region}, el veredicto sería {verdict}.",
        "no-parts": "En esta vista no se distinguen las partes de la cara; no se ha mirado ninguna "
        "región.",
        "not-seen": "Fuera del recorte de la cara, y por eso sin mirar: {regions}.",
        "set": "Al neutralizar {regions}, el veredicto sería {verdict} ({after}).",
        "set-none": "Al neutralizar {regions}, el veredicto no cambia.",
        "card-same": "Tras {count} cambios cotidianos del archivo, la puntuación queda entre el {low} "
        "y el {high}; el veredicto no cambia.",
        "card-flips": "Tras {count} cambios cotidianos del archivo, la puntuación queda entre el "
        "{low} y el {high}; con {flips} de ellos cambia el veredicto.",
        "inside": "Esta cara se parece a aquellas con las que se calibró el detector.",
        "outside": "Esta cara no se parece a aquellas con las que se calibró el detector; confíe "
        "menos en la puntuación.",
        "not-proof": "El detector puede equivocarse: su puntuación es una estimación, no una prueba.",
        "map": "El mapa muestra adónde ha mirado el detector, no lo que se cambió allí.",
    },
}


def translated(fact: Fact, language: Language) -> tuple[str, ...]:
    """What a fact says, as sentences of another language; empty where there is no translation.

    Single everyday changes of a file (``F2``...) are left to their summary.
    """
    if language == "en":
        return (fact.text,)
    return _Teller(language).tell(fact)


class _Teller:
    """Lays a fact's values into the sentences of one language."""

    def __init__(self, language: Language) -> None:
        self.texts = _TEXTS[language]
        self.regions = _REGIONS[language]
        self.verdicts = _VERDICTS[language]
        self.issues = _ISSUES[language]

    def tell(self, fact: Fact) -> tuple[str, ...]:
        tellers: Mapping[FactKind, Callable[[Mapping[str, Any]], list[str]]] = {
            FactKind.SCORE: self._score,
            FactKind.REGION: self._region,
            FactKind.QUALITY: self._quality,
            FactKind.PROVENANCE: self._origin,
            FactKind.COUNTERFACTUAL: self._effect,
            FactKind.FRAGILITY: self._card,
            FactKind.DOMAIN: lambda v: [self.texts["inside" if v["inside"] else "outside"]],
            FactKind.LIMIT: self._limit,
        }
        return tuple(tellers[fact.kind](fact.values))

    def _limit(self, v: Mapping[str, Any]) -> list[str]:
        if v["limit"] != "not-seen":
            return [self.texts[str(v["limit"])]]
        if not v["regions"]:
            return [self.texts["no-parts"]]
        listed = ", ".join(self.regions[name][0] for name in v["regions"])
        return [self.texts["not-seen"].format(regions=listed)]

    def _percent(self, share: float) -> str:
        if share < 0.005:
            return self.texts["under"]
        return self.texts["over"] if share > 0.995 else f"{100 * share:.0f}%"

    def _score(self, v: Mapping[str, Any]) -> list[str]:
        t = self.texts
        if "probability" in v:
            p = float(v["probability"])
            shown = self._percent(p) if "99%" in v["shown"] or "under" in v["shown"] else v["shown"]
            n = f"{100 * p:.0f}"
            many = t["few"] if p < 0.005 else t["most"] if p > 0.995 else t["many"].format(n=n)
            low, high = self._percent(v["low"]), self._percent(v["high"])
            out = [
                t["score"].format(shown=shown, low=low, high=high),
                t["meaning"].format(many=many),
            ]
            return [*out, t[v["width"]]] if v["width"] in t else out
        if "verdict" in v:
            if v.get("abstained"):
                return [t["abstained"]]
            out = [t[v["verdict"]].format(lower=v["shown_lower"], upper=v["shown_upper"])]
            return [*out, t["crosses"]] if v["crosses"] else out
        low, high = self._percent(v["low"]), self._percent(v["high"])
        return [t["frames"].format(frames=v["frames"], low=low, high=high)]

    def _region(self, v: Mapping[str, Any]) -> list[str]:
        if not v["stands_out"]:
            return [self.texts["none" if v["alone"] else "other"]]
        name = self.regions[v["region"]][0]
        lift = f"{v['lift']:.1f}".replace(".", ",")
        share = self._percent(v["share"])
        told = self.texts["region"].format(
            region=name, Region=name[0].upper() + name[1:], share=share, lift=lift
        )
        return [told, self.texts["background"]] if v["region"] == "background" else [told]

    def _quality(self, v: Mapping[str, Any]) -> list[str]:
        if not v["issue"]:
            return [self.texts["flawless"]]
        case, meaning = self.issues[v["issue"]]
        value, limit = (_amount(float(v[key]), str(v["unit"])) for key in ("value", "limit"))
        return [self.texts["issue"].format(case=case, meaning=meaning, value=value, limit=limit)]

    def _origin(self, v: Mapping[str, Any]) -> list[str]:
        quoted = f' ("{v["value"]}")' if v["value"] else ""
        return [self.texts[f"origin-{v['kind']}"].format(quoted=quoted)]

    def _effect(self, v: Mapping[str, Any]) -> list[str]:
        after = self._percent(v["after"])
        verdict = self.verdicts[v["verdict_after"]]
        if "tried" in v:
            names = [self.regions[r][1] for r in v["regions"] or v["tried"]]
            together = f" {self.texts['and']} ".join(
                [", ".join(names[:-1]), names[-1]][-len(names) :]
            )
            key = "set" if v["regions"] else "set-none"
            return [self.texts[key].format(regions=together, verdict=verdict, after=after)]
        key = str(v["effect"])
        if key == "hardly" and v["stands_out"]:
            key = "hardly-map"
        name = self.regions[v["region"]][1]
        before = self._percent(v["before"])
        out = [self.texts[key].format(region=name, before=before, after=after)]
        if v["changes_verdict"]:
            out.append(self.texts["then"].format(verdict=verdict, region=name))
        return out

    def _card(self, v: Mapping[str, Any]) -> list[str]:
        if "flips" not in v:
            return []
        key = "card-flips" if v["flips"] else "card-same"
        low, high = self._percent(v["low"]), self._percent(v["high"])
        return [self.texts[key].format(count=v["count"], low=low, high=high, flips=len(v["flips"]))]


def _amount(value: float, unit: str) -> str:
    number = f"{value:.0f}" if abs(value) >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
    number = number.replace(".", ",")
    return f"{number} {unit}".strip() if unit not in {"%", "°"} else f"{number}{unit}"
