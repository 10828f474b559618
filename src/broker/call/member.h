/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * member — one row of a bus interface: a method with its arguments, its verb, and the object that it is about
 *
 * Life: static tables. Runs in: broker. Privilege: none.
 */

#include "broker/access/access.h"

struct Call;

/* A signature and the names of its complete types, blanks between. */
typedef struct Arguments {
        const char *types;
        const char *names;
} Arguments;

/* Which object a method is about, and so whose rule decides. */
typedef enum Subject {
        SUBJECT_PATH = 0, /* the one it is called on */
        SUBJECT_SANDBOX,  /* the one whose id is the first argument */
        SUBJECT_PROCESS,  /* the one that holds the process whose pid is the first argument */
        SUBJECT_PROFILE,  /* the one whose name is the first argument */
        SUBJECT_USER,     /* likewise by uid */
        _SUBJECT_MAX,
} Subject;

/* 0: replied; 1: keeps the call and replies later; negative errno, call->error set or not: the dispatcher replies. */
typedef int (*MemberHandler)(struct Call *call);

typedef struct Member {
        const char *name;
        Arguments in, out;
        AccessVerb verb;
        Subject subject;
        bool works; /* a keeper works on it: counts as a request in flight */
        bool lists; /* on an object that leads to others it answers with what the caller may see of them */
        MemberHandler handler;
} Member;
