@echo OK: queue is empty
