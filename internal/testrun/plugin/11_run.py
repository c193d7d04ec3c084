# What is done at once, when the source is executed or imported.


if __name__ == "__channelexec__":
    main(channel)
elif __name__ == "_execnet_testrun":
    try:
        collected = collect(read_settings())
    except Refused:
        sys.stderr = open(os.devnull, "w")  # nobody needs the traceback
        raise
