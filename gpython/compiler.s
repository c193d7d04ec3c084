// This file is empty: it lets compiler.go declare functions whose bodies are elsewhere.
