"""Decode, resize to 224² and normalise JPEGs of 500 × 375, torch's DataLoader with PIL and with OpenCV against our loader, in
turns: python benches/pictures.py

Batches of 32, two workers each (processes there, threads here), which live through the epochs; the first epoch does not
count. Seconds a picture, medians; above 1 ours is faster. The pictures are smooth noise of several sizes, some 60 KB each, as
photographs are. Needs torch, numpy, pillow and opencv-python-headless; ours is built by cargo first.
"""
import json, os, statistics, subprocess, sys, tempfile, time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
ROUNDS, PICTURES, WORKERS, EPOCHS = 5, 256, 2, 3


def make(folder):
    import numpy
    from PIL import Image

    rng = numpy.random.default_rng(0)
    for i in range(PICTURES):
        pixels = numpy.zeros((375, 500, 3))
        for cells, size in ((3, 60), (12, 30), (50, 18), (200, 9)):
            noise = rng.normal(0, 1, (cells, cells * 4 // 3, 3))
            for channel in range(3):
                layer = Image.fromarray(noise[:, :, channel].astype("float32")).resize((500, 375), Image.Resampling.BICUBIC)
                pixels[:, :, channel] += size * numpy.asarray(layer)
        Image.fromarray((128 + pixels).clip(0, 255).astype("uint8")).save(f"{folder}/{i:03}.jpg", quality=90)


def peer(name, folder):
    import numpy, torch

    torch.set_num_threads(1)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    class Pictures(torch.utils.data.Dataset):
        paths = sorted(Path(folder).iterdir())

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            if name == "PIL":
                from PIL import Image

                image = Image.open(self.paths[index]).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
                pixels = numpy.array(image)
            else:
                import cv2

                cv2.setNumThreads(1)
                image = cv2.cvtColor(cv2.imread(str(self.paths[index])), cv2.COLOR_BGR2RGB)
                pixels = cv2.resize(image, (224, 224), interpolation=cv2.INTER_LINEAR)
            return (torch.from_numpy(pixels).permute(2, 0, 1).float() / 255 - mean) / std

    loader = torch.utils.data.DataLoader(Pictures(), batch_size=32, num_workers=WORKERS, persistent_workers=True)
    seconds = []
    for _ in range(EPOCHS + 1):
        start = time.perf_counter()
        pictures = sum(len(batch) for batch in loader)
        seconds.append((time.perf_counter() - start) / pictures)
    print(statistics.median(seconds[1:]))


def main():
    if len(sys.argv) > 1:
        return peer(sys.argv[1], sys.argv[2])
    build = subprocess.run(["cargo", "bench", "--profile", "dev", "-p", "vision-language", "--bench", "pictures", "--no-run",
                            "--message-format", "json"], cwd=HOUSE, check=True, stdout=subprocess.PIPE, text=True)
    ours = next(m["executable"] for m in map(json.loads, build.stdout.splitlines())
                if m.get("target", {}).get("name") == "pictures" and m.get("executable"))
    env = os.environ | {"CANDLE_BARRIER_POOL_SPIN_LIMIT": "0", "RAYON_NUM_THREADS": "2"}
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        size = sum(p.stat().st_size for p in Path(folder).iterdir()) / PICTURES / 1000
        seconds = lambda *command: float(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
        rounds = [(seconds(sys.executable, __file__, "PIL", folder), seconds(sys.executable, __file__, "OpenCV", folder),
                   seconds(ours, folder, str(WORKERS), str(EPOCHS))) for _ in range(ROUNDS)]
    pil, cv, own = (1000 * statistics.median(column) for column in zip(*rounds))
    ratio = lambda i: statistics.median(r[i] / r[2] for r in rounds)
    print(f"{size:.0f} KB a picture: PIL {pil:.2f} ms, OpenCV {cv:.2f} ms, ours {own:.2f} ms; ratio PIL / ours {ratio(0):.2f}, "
          f"OpenCV / ours {ratio(1):.2f} (medians of {ROUNDS})")


main()
