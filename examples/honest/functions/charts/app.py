"""Draws a chart."""

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot
from tagwright import tag


def handler(event, context):
    figure, axes = pyplot.subplots()
    axes.plot(event["values"])
    axes.set_title(event["title"])
    figure.savefig("/tmp/chart.png")
    pyplot.close(figure)
    with open("/tmp/chart.png", "rb") as file:
        begins = file.read(4)
    return {"png": begins == b"\x89PNG", "tag": tag(event["title"])}
