module orochi.invalid/e2e/kv/trial

go 1.19

require github.com/anishathalye/porcupine v1.2.1
