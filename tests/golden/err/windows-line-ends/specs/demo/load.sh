#!/bin/sh
echo loaded
