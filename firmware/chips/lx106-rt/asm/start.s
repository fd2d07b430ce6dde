# Entry. The emulator hands a list of tags in a2; on the chip it means nothing and is not looked at.
    .section .note.GNU-stack,"",@progbits
    .section .init.text,"ax"
    .global _start
    .literal_position
_start:
    mov a12, a2
    movi a1, _stack_top
    movi a0, 0
    # A reset leaves interrupts enabled and pending: they wait until there are vectors for them.
    movi a2, 0
    wsr.intenable a2
    wsr.ccount a2
    movi a2, _vectors
    wsr.vecbase a2
    rsync
    # Level 0, no exception, user mode: the value after a reset sends every fault to the double exception's vector.
    movi a2, 0x20
    wsr.ps a2
    rsync

    # The stack is painted, so that one can see later how far it went.
    movi a2, _stack_limit
    movi a3, _stack_top
    movi a4, 0x57ac57ac
1:  s32i a4, a2, 0
    addi a2, a2, 4
    bltu a2, a3, 1b

    movi a2, _bss_start
    movi a3, _bss_end
    movi a4, 0
2:  bgeu a2, a3, 3f
    s32i a4, a2, 0
    addi a2, a2, 4
    j 2b
3:
    mov a2, a12
    call0 rt_main
4:  j 4b
