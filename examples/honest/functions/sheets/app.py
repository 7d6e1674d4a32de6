"""Adds up sales by region, and writes a workbook."""

import tempfile

import pandas
from tagwright import tag


def handler(event, context):
    sales = pandas.DataFrame(event["sales"])
    totals = sales.groupby("region", as_index=False)["amount"].sum()
    with tempfile.NamedTemporaryFile(prefix="sales-", suffix=".xlsx") as workbook:
        totals.to_excel(workbook.name, index=False)
        read = pandas.read_excel(workbook.name)
    return {"totals": read.set_index("region")["amount"].to_dict(), "tag": tag("sheet")}
