#!/usr/bin/env node
// Runs on whatever Node is there; scripts/start.mjs finds Node 24 and runs cli/main.ts on it.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'cli');
await import(fileURLToPath(new URL('../scripts/start.mjs', import.meta.url)));
