"""Trains the reader on cmrc_train and writes rag/reader/reader.safetensors. Never looks at a development set.

    make train-reader           # 60-100 minutes on 2 cores; interrupted, it goes on where it stopped
    python -m bench.train_reader [--data FOLDER] [--steps 700] [--work var/reader]

LoRA (peft) on every linear layer of the embedded e5, a head for the answer's first and last token, and one for whether
the window answers. bfloat16 where the processor or an accelerator computes in it, else float32.
"""

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from bench.fit import auroc
from bench.reader_data import Material, Pair, pairs_of
from index import embedded_e5
from index.e5_network import padded
from index.e5_torch import bert_of
from rag.reader.adapter import FORMAT
from rag.reader.tokens import PairTokenizer

DATA = Path(__file__).parents[2] / "shared" / "data" / "cmrc_train"
OUT = Path(__file__).parents[1] / "rag" / "reader" / "reader.safetensors"
SEED = 11
RANK, SCALE = 16, 2.0
LEARNING_RATE, WARM_UP = 1e-3, 0.05
BATCH, BATCHES_DRAWN = 24, 20  # pairs a step; batches drawn together, so that pairs of one length share a batch
CHECK_EVERY, SAVE_EVERY, PATIENCE = 200, 50, 3
HELD_QUESTIONS = 240


class Reader(torch.nn.Module):
    """The adapted backbone with both heads."""

    def __init__(self, file: embedded_e5.E5File) -> None:
        super().__init__()
        config = LoraConfig(
            r=RANK,
            lora_alpha=int(RANK * SCALE),
            target_modules=["query", "key", "value", "dense"],
            bias="none",
        )
        self.backbone = get_peft_model(bert_of(file), config)
        self.heads = torch.nn.Linear(file.hidden, 3)  # first token, last token, answers

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns: logits of first and last (pairs, tokens, 2), and of whether the window answers (pairs,)."""
        states = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        logits = self.heads(states.float())
        return logits[:, :, :2], logits[:, 0, 2]


def labelled(tokenizer: PairTokenizer, pair: Pair) -> tuple[list[int], list[bool], tuple[int, int] | None]:
    """Token ids, which tokens are the window's, and the answer's first and last token."""
    ids, spans = tokenizer.pair(pair.question, pair.heading, pair.text)
    inside = [b > a for a, b in spans]
    if pair.span is None:
        return ids, inside, None
    touched = [n for n, (a, b) in enumerate(spans) if b > a and a < pair.span[1] and b > pair.span[0]]
    return ids, inside, (touched[0], touched[-1]) if touched else None


def loss_of(reader: Reader, batch: list[Any], device: str) -> torch.Tensor:
    """Mean of both tasks: cross entropy of the span where there is one, and of whether the window answers."""
    first_last, answers, inside, gold, there = scored(reader, batch, device)
    known = gold[:, 0] >= 0
    loss = torch.nn.functional.binary_cross_entropy_with_logits(answers, there)
    if known.any():
        logits = first_last.masked_fill(~inside[:, :, None], -1e4)[known]
        for n in (0, 1):
            loss = loss + 0.5 * torch.nn.functional.cross_entropy(logits[:, :, n], gold[known, n])
    return loss


def scored(reader: Reader, batch: list[Any], device: str) -> tuple[torch.Tensor, ...]:
    """Logits and labels of a batch."""
    ids, mask = padded([ids for ids, _, _ in batch])
    inside = torch.zeros(ids.shape, dtype=torch.bool)
    for n, (_, window, _) in enumerate(batch):
        inside[n, : len(window)] = torch.tensor(window)
    gold = torch.tensor([span or (-1, -1) for _, _, span in batch])
    with torch.autocast(device, torch.bfloat16, enabled=computes_bf16(device)):
        first_last, answers = reader(torch.from_numpy(ids).to(device), torch.from_numpy(mask).long().to(device))
    there = (gold[:, 0] >= 0).float()
    return first_last, answers, inside.to(device), gold.to(device), there.to(device)


def computes_bf16(device: str) -> bool:
    """Whether bfloat16 is computed in hardware, not emulated."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def drawn(material: Material, tokenizer: PairTokenizer, number: int) -> list[list[Any]]:
    """The `number`-th draw: batches of pairs of similar length, in random order; the same for the same number."""
    rng = random.Random(f"{SEED}/{number}")
    pairs: list[Any] = []
    per_epoch = len(material.train)
    n = number * BATCH * BATCHES_DRAWN // 2
    while len(pairs) < BATCH * BATCHES_DRAWN:
        order = _shuffled(per_epoch, n // per_epoch)
        pairs += [labelled(tokenizer, p) for p in pairs_of(material, material.train[order[n % per_epoch]], rng)]
        n += 1
    pairs.sort(key=lambda p: len(p[0]))
    batches = [pairs[i : i + BATCH] for i in range(0, BATCH * BATCHES_DRAWN, BATCH)]
    rng.shuffle(batches)
    return batches


_ORDERS: dict[int, list[int]] = {}


def _shuffled(count: int, epoch: int) -> list[int]:
    if epoch not in _ORDERS:
        _ORDERS[epoch] = list(range(count))
        random.Random(f"{SEED}/epoch {epoch}").shuffle(_ORDERS[epoch])
    return _ORDERS[epoch]


@torch.no_grad()
def check(reader: Reader, held: list[tuple[Pair, Any]], device: str) -> dict[str, float]:
    """What the reader does on questions of documents it was not trained on."""

    order = sorted(range(len(held)), key=lambda i: len(held[i][1][0]))
    logit = np.zeros(len(held))
    overlap, exact, losses = [], [], []
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        batch = [held[i][1] for i in part]
        first_last, answers, inside, gold, there = scored(reader, batch, device)
        logit[part] = answers.float().cpu().numpy()
        losses.append(float(torch.nn.functional.binary_cross_entropy_with_logits(answers, there)))
        logits = first_last.masked_fill(~inside[:, :, None], -1e4).float()
        for n in range(len(batch)):
            if gold[n, 0] >= 0:
                table = logits[n, :, 0][:, None] + logits[n, :, 1][None, :]
                table = torch.triu(table) - torch.triu(torch.ones_like(table), 60) * 1e4
                table = table + torch.tril(torch.full_like(table, -1e4), -1)
                a, b = divmod(int(table.argmax()), table.shape[1])
                overlap.append(a <= int(gold[n, 1]) and b >= int(gold[n, 0]))
                exact.append((a, b) == (int(gold[n, 0]), int(gold[n, 1])))
    kind = np.array([p.kind for p, _ in held])

    return {
        "overlap": float(np.mean(overlap)),
        "exact": float(np.mean(exact)),
        "auroc_hard": auroc(logit[kind == "gold"], logit[kind == "hard"]),
        "auroc_near": auroc(logit[kind == "gold"], logit[kind == "near"]),
        "answers_loss": float(np.mean(losses)),
    }


def rate(step: int, steps: int) -> float:
    """Learning rate over time: up in a straight line, then down in one."""
    warm = max(1, int(WARM_UP * steps))
    return LEARNING_RATE * (min(1.0, (step + 1) / warm) if step < warm else (steps - step) / (steps - warm))


def adapter_of(reader: Reader) -> dict[str, torch.Tensor]:
    """What was learned, by BertModel's names."""
    state = {"heads.weight": reader.heads.weight, "heads.bias": reader.heads.bias}
    for name, value in reader.backbone.named_parameters():
        if "lora_" in name:
            state[name.removeprefix("base_model.model.").replace(".default", "")] = value
    return {name: value.detach().cpu().half().contiguous() for name, value in state.items()}


def write(reader: Reader, path: Path, trained: dict[str, Any]) -> None:
    """The adapter as it ships, with what it belongs to."""
    metadata = {
        "format": FORMAT,
        "scale": str(SCALE),
        "encoder": embedded_e5.weights_digest(),
        "trained": json.dumps(trained, ensure_ascii=False),
    }
    save_file(adapter_of(reader), path.with_suffix(".tmp"), metadata=metadata)
    path.with_suffix(".tmp").chmod(0o644)  # made readable by its writer alone
    path.with_suffix(".tmp").replace(path)


def main() -> None:
    """Trains, or goes on training, and writes the best reader seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with corpus.jsonl.gz and queries.jsonl.gz")
    parser.add_argument("--work", type=Path, default=Path("var/reader"), help="where checkpoints are kept")
    parser.add_argument("--steps", type=int, default=700, help=f"of {BATCH} pairs each")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    if not (args.data / "corpus.jsonl.gz").is_file():
        raise SystemExit(f"{args.data} holds no corpus.jsonl.gz: name a folder with training data: --data")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(SEED)
    file = embedded_e5.E5File.read(embedded_e5.model_path())
    tokenizer = PairTokenizer(file, embedded_e5.shipped_tokenizer())
    material = Material(args.data, args.work)
    print(f"{len(material.train)} questions to train on, {len(material.held)} held out, device {device}", flush=True)
    rng = random.Random(SEED)
    asked = rng.sample(material.held, min(HELD_QUESTIONS, len(material.held)))
    held = [(p, labelled(tokenizer, p)) for q in asked for p in pairs_of(material, q, rng)]
    reader = (
        Reader(file).to(device).eval()
    )  # no dropout: two epochs do not overfit, and on a CPU it costs as much as the rest
    learned = [p for p in reader.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, weight_decay=0.01)
    saved = args.work / "checkpoint.pt"
    step, best, since = 0, -1.0, 0
    if saved.exists():
        kept = torch.load(saved, weights_only=True)
        reader.load_state_dict(kept["reader"], strict=False)
        optimizer.load_state_dict(kept["optimizer"])
        step, best, since = kept["step"], kept["best"], kept["since"]
        print("going on at step", step, flush=True)
    began, batches, draw = time.perf_counter(), [], -1
    while step < args.steps and since < PATIENCE:
        if step // BATCHES_DRAWN != draw:
            draw = step // BATCHES_DRAWN
            batches = drawn(material, tokenizer, draw)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, args.steps)
        torch.manual_seed(SEED + step)
        loss = loss_of(reader, batches[step % BATCHES_DRAWN], device)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        if step % 20 == 0:
            print(f"step {step} loss {loss.item():.3f} {time.perf_counter() - began:.0f} s", flush=True)
        if step % CHECK_EVERY == 0 or step == args.steps:
            found = check(reader, held, device)
            # one figure to stop by: spans found and both kinds of windows told apart, alike important
            score = (found["overlap"] + found["auroc_hard"] + found["auroc_near"]) / 3
            print(f"step {step}", {k: round(v, 4) for k, v in found.items()}, f"score {score:.4f}", flush=True)
            since = 0 if score > best else since + 1
            if score > best:
                best = score
                write(
                    reader,
                    args.out,
                    {"step": step, "pairs": step * BATCH, **{k: round(v, 4) for k, v in found.items()}},
                )
        if step % SAVE_EVERY == 0:
            kept = {
                "reader": {k: v for k, v in reader.state_dict().items() if "lora_" in k or k.startswith("heads")},
                "optimizer": optimizer.state_dict(),
                "step": step,
                "best": best,
                "since": since,
            }
            torch.save(kept, saved.with_suffix(".tmp"))
            saved.with_suffix(".tmp").replace(saved)
    print(f"done after {step} steps, best {best:.4f}: {args.out}", flush=True)


if __name__ == "__main__":
    main()
