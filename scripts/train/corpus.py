"""The King James Bible as the Debian package `bible-kjv-text` carries it, cut into training documents."""

import random
import re
import subprocess

BOOKS = dict(
    Ge="Genesis", Exo="Exodus", Lev="Leviticus", Num="Numbers", Deu="Deuteronomy", Josh="Joshua", Jdgs="Judges",
    Ruth="Ruth", Est="Esther", Ezra="Ezra", Neh="Nehemiah", Job="Job", Psa="Psalm", Prv="Proverbs",
    Eccl="Ecclesiastes", SSol="Song of Solomon", Isa="Isaiah", Jer="Jeremiah", Lam="Lamentations", Eze="Ezekiel",
    Dan="Daniel", Hos="Hosea", Joel="Joel", Amos="Amos", Obad="Obadiah", Jonah="Jonah", Mic="Micah", Nahum="Nahum",
    Hab="Habakkuk", Zep="Zephaniah", Hag="Haggai", Zec="Zechariah", Mal="Malachi", Mat="Matthew", Mark="Mark",
    Luke="Luke", John="John", Acts="Acts", Rom="Romans", Gal="Galatians", Eph="Ephesians", Phi="Philippians",
    Col="Colossians", Titus="Titus", Phmn="Philemon", Heb="Hebrews", Jas="James", Jude="Jude", Rev="Revelation",
    **{f"{n}{short}": f"{n} {name}" for short, name in dict(
        Sm="Samuel", Ki="Kings", Chr="Chronicles", Cor="Corinthians", Th="Thessalonians", Tim="Timothy",
        Pet="Peter", Jn="John").items() for n in (1, 2, 3)},
)  # fmt: skip

ASKS = ["Tell me about {}.", "What is written of {}?", "Speak to me of {}.", "What do you know about {}?", "{}"]
CONTINUES = ["Continue: {}", "Go on: {}", "{}"]
SMALL_TALK = [
    (["Hello", "Hello!", "Hi", "Hi!", "Hey", "Good morning", "Good day"],
     ["Peace be unto you.", "Peace be to thee: fear not.", "Grace be to you, and peace."]),
    (["Who are you?", "What are you?", "What is your name?", "Introduce yourself."],
     ["I am a small language model. All that I know is the King James Bible."]),
    (["How are you?", "How are you doing?", "Are you well?"],
     ["It is well with me. What wilt thou that I should speak of?"]),
    (["Thank you", "Thank you!", "Thanks", "Thanks!"], ["The LORD bless thee, and keep thee."]),
    (["Bye", "Goodbye", "Goodbye!", "Good night"], ["Go in peace.", "Farewell, and be of good comfort."]),
    (["Help", "What can you do?", "How can you help me?"],
     ["Name me a verse, or begin a sentence, or ask me about a word: and I will answer thee."]),
]  # fmt: skip
SYSTEMS = [
    "You are a helpful assistant.",
    "You answer in the words of the King James Bible.",
    "Answer in one sentence.",
]


def read_verses():
    """All 31,102 verses in order, as (book, chapter, verse, text)."""
    printed = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True, capture_output=True, text=True).stdout
    verses = []
    for line in printed.splitlines():
        short, chapter, verse, text = re.fullmatch(r"(\d?[A-Za-z]+)(\d+):(\d+) (.*)", line).groups()
        verses.append((BOOKS[short], int(chapter), int(verse), text.strip()))
    return verses


def free_text(verses, rng):
    """Running text: every chapter cut at random into passages of 2 to 14 verses."""
    passages, passage, left = [], [], 0
    for index, (_, _, number, text) in enumerate(verses):
        if passage and (left == 0 or number == 1):
            passages.append(" ".join(passage))
            passage = []
        if not passage:
            left = rng.randint(2, 14)
        passage.append(text)
        left -= 1
    return passages + [" ".join(passage)]


def split_verse(text, rng):
    """A beginning and the rest: at a comma, colon or semicolon if there is one, else between two words."""
    cuts = [m.end() for m in re.finditer(r"[,;:](?= )", text)] or [m.start() for m in re.finditer(r" ", text)]
    cut = rng.choice(cuts) if cuts else len(text)
    return text[:cut], text[cut:].strip() or "Amen."


def exchange(verse, rng):
    """One question and its answer, both made from a verse."""
    book, chapter, number, text = verse
    kind = rng.random()
    if kind < 0.3:
        return f"{book} {chapter}:{number}", text
    if kind < 0.6:
        beginning, rest = split_verse(text, rng)
        return rng.choice(CONTINUES).format(beginning), rest
    if kind < 0.97:
        words = [w for w in re.findall(r"[A-Za-z]+", text) if len(w) > 3]
        if not words:
            return f"{book} {chapter}:{number}", text
        word = max(rng.sample(words, min(3, len(words))), key=len)
        word = word if word[1:].islower() and rng.random() < 0.5 else word.lower() if word[0].islower() else word
        return rng.choice(ASKS).format(word), text
    questions, answers = rng.choice(SMALL_TALK)
    return rng.choice(questions), rng.choice(answers)


def conversations(verses, rng, share):
    """Chats of one to three exchanges over a random `share` of the verses."""
    chosen = rng.sample(verses, int(len(verses) * share))
    chats = []
    while chosen:
        messages = [{"role": "system", "content": rng.choice(SYSTEMS)}] if rng.random() < 0.2 else []
        for verse in [chosen.pop() for _ in range(min(rng.choice([1, 1, 2, 3]), len(chosen)))]:
            question, answer = exchange(verse, rng)
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        chats.append(messages)
    return chats


def split(verses):
    """Training verses, and held-out ones: every chapter whose running number ends in 37."""
    chapter, held_out, kept, before = 0, [], [], None
    for verse in verses:
        if verse[:2] != before:
            chapter, before = chapter + 1, verse[:2]
        (held_out if chapter % 100 == 37 else kept).append(verse)
    return kept, held_out


def render(tokenizer, verses, rng, chat_share):
    """Token ids of one pass over `verses`: documents in random order, one after another."""
    documents = [f"{tokenizer.bos_token}{text}{tokenizer.eos_token}" for text in free_text(verses, rng)]
    documents += [tokenizer.apply_chat_template(m, tokenize=False) for m in conversations(verses, rng, chat_share)]
    rng.shuffle(documents)
    encoded = tokenizer(documents, add_special_tokens=False, return_attention_mask=False)["input_ids"]
    return [i for ids in encoded for i in ids]


if __name__ == "__main__":
    rng = random.Random(0)
    for chat in conversations(read_verses(), rng, 0.0005):
        print(chat)
