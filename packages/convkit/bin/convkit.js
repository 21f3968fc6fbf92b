#!/usr/bin/env node
import "@convkit/cli/bin";
