#!/usr/bin/env node
// Checked in, so that the command can be linked before anything is built.
import '../dist/cli/main.js';
