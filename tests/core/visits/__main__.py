from tests.core.visits.page import write

write()
