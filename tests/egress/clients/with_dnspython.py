import dns.resolver
from probe import probe


def fetch(destination):
    resolver = dns.resolver.Resolver()
    resolver.lifetime = 10
    if "resolver" in destination:
        resolver.nameservers = [destination["resolver"]]
    answer = resolver.resolve(destination["resolve"], destination["type"])
    return sorted(record.to_text() for record in answer)


probe(fetch)
