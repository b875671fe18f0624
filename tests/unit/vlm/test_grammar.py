"""Structured decoding: all that the grammar allows is supported, nothing else can be written."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.evaluation.readability import word_count
from assistant.grounding import check
from assistant.routing import QuestionKind
from assistant.types import SentenceStatus
from assistant.vlm.composition.grammar import grammar_for
from assistant.vlm.template import questions_for
from tests.unit.grounding import cases

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\w-]+|[()|?]')


def written(grammar: str, rng: random.Random) -> str:
    """A text that the grammar allows, its choices made at random."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.strip().splitlines())

    def alternatives(tokens: list[str], rng: random.Random) -> str:
        options: list[list[str]] = [[]]
        depth = 0
        for token in tokens:
            depth += (token == "(") - (token == ")")
            if token == "|" and depth == 0:
                options.append([])
            else:
                options[-1].append(token)
        return sequence(rng.choice(options), rng)

    def sequence(tokens: list[str], rng: random.Random) -> str:
        out, i = "", 0
        while i < len(tokens):
            token = tokens[i]
            if token == "(":
                depth, end = 1, i + 1
                while depth:
                    depth += (tokens[end] == "(") - (tokens[end] == ")")
                    end += 1
                optional = tokens[end : end + 1] == ["?"]
                if not optional or rng.random() < 0.5:
                    out += alternatives(tokens[i + 1 : end - 1], rng)
                i = end + optional
                continue
            if token.startswith('"'):
                out += token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            else:
                out += alternatives(_TOKEN.findall(rules[token]), rng)
            i += 1
        return out

    return alternatives(_TOKEN.findall(rules["root"]), rng)


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_all_that_an_explanation_may_say_is_supported(seed: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    text = written(grammar_for(evidence), rng)

    found = check(text, evidence)
    assert all(s.status is SentenceStatus.SUPPORTED and not s.reason for s in found), found
    assert evidence.verdict.words in text.lower().replace("of manipulation was found", "found")
    assert str(evidence["S1"].values()["shown"]) in text
    assert len(text.split()) <= 155
    assert word_count(text) >= 60, text


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_all_that_an_answer_may_say_is_supported(seed: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    for kind in QuestionKind:
        question = rng.choice(questions_for(kind, "heldout"))
        text = written(grammar_for(evidence, question), rng)
        found = check(text, evidence)
        assert found
        bad = [s for s in found if s.status is not SentenceStatus.SUPPORTED]
        assert all(s.reason == "said before" for s in bad), found


@pytest.mark.parametrize("question", ["", "Why?", 'What about "it"?'])
def test_each_rule_is_used_and_defined_once(question: str) -> None:
    grammar = grammar_for(cases.manipulated(), question)
    names = [line.split(" ::= ")[0] for line in grammar.strip().splitlines()]
    root = re.sub(r'"(?:[^"\\]|\\.)*"', "", grammar.splitlines()[0].split(" ::= ")[1])

    assert len(names) == len(set(names))
    assert set(re.findall(r"[a-z][\w-]*", root)) == set(names[1:])


def test_a_case_without_facts_has_no_grammar() -> None:
    assert grammar_for(replace(cases.real(), facts=())) == ""


def test_quotes_in_names_are_escaped() -> None:
    grammar = grammar_for(cases.manipulated(), "What does the metadata say?")

    assert '\\"Adobe Photoshop 25.1\\"' in grammar
