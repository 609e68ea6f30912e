"""Tools for a plain training loop: checkpoints, a record of the run, metrics and plots.

They do not hide the loop: forward, loss, backward and step stay in the user's code. This complete
program resumes where it stopped when it is started again::

    import os
    import tinynet as tn
    from tinynet import data, nn, optim, training
    from tinynet.functional import cross_entropy

    EPOCHS = 10
    tn.manual_seed(0)
    images, labels = data.digits(train=True)
    batches = data.DataLoader(images, labels, batch_size=64, shuffle=True, seed=0)
    test = data.DataLoader(*data.digits(train=False), batch_size=500)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(batches))
    recorder = training.Recorder("run1/history.jsonl", total=len(labels), epochs=EPOCHS)
    run = training.Checkpoint("run1", model=model, optimizer=optimizer, schedule=schedule,
                              batches=batches, recorder=recorder, options={"epochs": EPOCHS})
    if os.path.exists(run.last_path):
        run.load()
    with training.command():  # Ctrl-C: saved; one line, not a traceback
        for epoch in run.epochs(EPOCHS):
            for x, y in run.steps(batches):
                loss = cross_entropy(model(tn.as_tensor(x)), tn.as_tensor(y))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                recorder.add(len(y), loss=loss)
            found = training.evaluate(model, test)
            recorder.end_epoch(test_loss=found.loss, test_accuracy=found.accuracy)
            run.keep_best(found.accuracy)
    model.load_state_dict(tn.load(run.best_path)["model"])
    training.write_report("run1", recorder.history, model=model,
                          evaluation=training.evaluate(model, test))
"""

from tinynet.graph import summary
from tinynet.io import CheckpointError
from tinynet.report import (
    feature_maps,
    plot_confusion,
    plot_curves,
    plot_feature_maps,
    plot_filters,
    plot_mistakes,
    save_figure,
    write_report,
)
from tinynet.training import metrics
from tinynet.training.checkpoint import Checkpoint
from tinynet.training.command import command
from tinynet.training.evaluation import Evaluation, evaluate
from tinynet.training.history import HistoryError, read_history
from tinynet.training.interrupt import Interrupted
from tinynet.training.recorder import Recorder
from tinynet.training.stopping import EarlyStopping

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "EarlyStopping",
    "Evaluation",
    "HistoryError",
    "Interrupted",
    "Recorder",
    "command",
    "evaluate",
    "feature_maps",
    "metrics",
    "plot_confusion",
    "plot_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_mistakes",
    "read_history",
    "save_figure",
    "summary",
    "write_report",
]
