# What this compiler cannot say: special registers and instructions, as functions.
    .section .note.GNU-stack,"",@progbits
    .section .text.registers,"ax"
    .literal_position

    .macro FUNCTION name
    .global \name
    .type \name,@function
    .align 4
\name:
    .endm

    FUNCTION lx_ccount              # () -> cycles
    rsr.ccount a2
    ret

    FUNCTION lx_set_ccompare        # (cycles): also takes the timer's interrupt back
    wsr.ccompare0 a2
    esync
    ret

    FUNCTION lx_interrupts          # () -> those pending
    rsr.interrupt a2
    ret

    FUNCTION lx_clear               # (interrupts): takes back those that are edges
    wsr.intclear a2
    rsync
    ret

    FUNCTION lx_set_enabled         # (interrupts)
    wsr.intenable a2
    rsync
    ret

    FUNCTION lx_mask                # () -> state for lx_restore
    rsil a2, 15
    ret

    FUNCTION lx_restore             # (state)
    wsr.ps a2
    rsync
    ret

    FUNCTION lx_wait                # (interrupts): sleeps until one came and was handled. Call it masked; it unmasks
    wsr.intenable a2
    rsync
    waiti 0
    ret

    FUNCTION lx_stack_pointer       # () -> address
    mov a2, a1
    ret

    FUNCTION lx_call_emulator       # (call, a, b, c) -> result; only under the emulator, with semihosting
    simcall
    ret
